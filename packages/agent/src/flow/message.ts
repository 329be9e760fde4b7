import type { Http1Head, TraceContext } from '@thalweg/wire';
import { REDACTED, readTrace, TRACE_HEADERS } from '@thalweg/wire';
import type { Direction, FlowConnection, Mutable } from './connection.ts';
import type { Outcome, RequestPart, ResponsePart } from './exchange.ts';

const REQUEST_ID = 'x-request-id';
const FORWARDED_FOR = 'x-forwarded-for';

/** Headers that are read for their meaning, whether or not they are kept in rows. */
export const MEANT_HEADERS: readonly string[] = [...TRACE_HEADERS, REQUEST_ID, FORWARDED_FOR];

/** What is read of a message's headers. */
interface Meaning {
  trace: TraceContext | undefined;
  requestId: string;
  forwardedFor: string;
  headers: readonly (readonly [name: string, value: string])[];
}

type RequestLine = Pick<RequestPart, 'method' | 'path' | 'host' | 'version' | 'contentLength'>;
type Answer = Pick<
  ResponsePart,
  'outcome' | 'status' | 'reason' | 'result' | 'version' | 'contentLength'
>;

/** Turns heads into parts of an exchange; the allow-list decides which headers stay. */
export function createMessageReader(allowed: ReadonlySet<string>): {
  /** `answeredBeforeNs`: end of the answer before it on its connection. */
  request(head: Http1Head, direction: Direction, answeredBeforeNs: number): Mutable<RequestPart>;
  response(head: Http1Head, direction: Direction): Mutable<ResponsePart>;
} {
  const tracing = new Set(TRACE_HEADERS);
  const areAllKept = MEANT_HEADERS.every((name) => allowed.has(name));
  const meaning: Meaning = { trace: undefined, requestId: '', forwardedFor: '', headers: [] };
  const answer: Mutable<Answer> = {
    outcome: 'success',
    status: 0,
    reason: '',
    result: '',
    version: '',
    contentLength: undefined,
  };

  function read({ headers, hasMeant }: Http1Head): Meaning {
    meaning.requestId = '';
    meaning.forwardedFor = '';
    meaning.trace = undefined;
    meaning.headers = headers;
    if (hasMeant) readMeant(headers);
    return meaning;
  }

  function readMeant(headers: Http1Head['headers']): void {
    let isTraced = false;
    let dropped = 0;
    for (let i = 0; i < headers.length; i += 1) {
      const header = headers[i];
      if (header === undefined) continue;
      const name = header[0];
      const value = header[1];
      if (value === REDACTED) {
        if (!allowed.has(name)) dropped += 1;
        continue;
      }
      if (name === REQUEST_ID) meaning.requestId ||= value;
      else if (name === FORWARDED_FOR) {
        meaning.forwardedFor = meaning.forwardedFor ? `${meaning.forwardedFor}, ${value}` : value;
      } else if (tracing.has(name)) isTraced = true;
      else continue;
      if (!areAllKept && !allowed.has(name)) dropped += 1;
    }
    if (isTraced) meaning.trace = readTrace(headers);
    if (dropped > 0) meaning.headers = headers.filter(([name]) => allowed.has(name));
  }

  return {
    request: (head, direction, answeredBeforeNs) =>
      requestPart(direction, answeredBeforeNs, head, read(head)),
    response(head, direction) {
      answer.outcome = outcomeOf(head.status);
      answer.status = head.status;
      answer.reason = head.reason;
      answer.version = head.version;
      answer.contentLength = head.contentLength;
      return responsePart(direction, answer, read(head));
    },
  };
}

function outcomeOf(status: number): Outcome {
  if (status < 400) return 'success';
  return status < 500 ? 'client-error' : 'server-error';
}

const NO_MEANING: Meaning = { trace: undefined, requestId: '', forwardedFor: '', headers: [] };

/** A request of a protocol without headers. */
export function plainRequest(
  direction: Direction,
  { answeredNs }: FlowConnection,
  { method, path, host = '' }: Pick<RequestPart, 'method' | 'path'> & { readonly host?: string },
): Mutable<RequestPart> {
  const line = { method, path, host, version: '', contentLength: undefined };
  return requestPart(direction, answeredNs, line, NO_MEANING);
}

export function plainResponse(
  direction: Direction,
  { outcome, reason, result }: Pick<ResponsePart, 'outcome' | 'reason' | 'result'>,
): Mutable<ResponsePart> {
  const answer = { outcome, status: 0, reason, result, version: '', contentLength: undefined };
  return responsePart(direction, answer, NO_MEANING);
}

// The fields that both share are written out: an object that is spread is made by a slow copy.

function requestPart(
  direction: Direction,
  answeredBeforeNs: number,
  line: RequestLine,
  meaning: Meaning,
): Mutable<RequestPart> {
  return {
    startNs: direction.startNs,
    endNs: direction.lastNs,
    sequence: direction.startSequence,
    answerSequence: direction.startAnswerSequence,
    tid: direction.startTid,
    turnId: direction.startTurnId,
    causeId: direction.startCauseId,
    causeKind: direction.startCauseKind,
    size: direction.stream.size,
    captured: direction.stream.captured,
    bodySize: 0,
    method: line.method,
    path: line.path,
    host: line.host,
    version: line.version,
    contentLength: line.contentLength,
    trace: meaning.trace,
    requestId: meaning.requestId,
    forwardedFor: meaning.forwardedFor,
    answeredBeforeNs,
    note: undefined,
    headers: meaning.headers,
  };
}

function responsePart(
  direction: Direction,
  answer: Answer,
  meaning: Meaning,
): Mutable<ResponsePart> {
  return {
    startNs: direction.startNs,
    endNs: direction.lastNs,
    sequence: direction.startSequence,
    tid: direction.startTid,
    turnId: direction.startTurnId,
    causeId: direction.startCauseId,
    causeKind: direction.startCauseKind,
    size: direction.stream.size,
    captured: direction.stream.captured,
    bodySize: 0,
    outcome: answer.outcome,
    status: answer.status,
    reason: answer.reason,
    result: answer.result,
    version: answer.version,
    contentLength: answer.contentLength,
    trace: meaning.trace,
    requestId: meaning.requestId,
    headers: meaning.headers,
  };
}

/** Brings the sizes and the end of a message up to date. */
export function measure(part: Mutable<RequestPart> | Mutable<ResponsePart>, of: Direction): void {
  part.endNs = of.lastNs;
  part.size = of.stream.size;
  part.captured = of.stream.captured;
  // Where a head's end was not captured, its declared length is better than a guess.
  part.bodySize = Math.min(of.stream.bodySize, part.contentLength ?? of.stream.bodySize);
}
