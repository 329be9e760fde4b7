import type { Http1Head, TraceContext } from '@thalweg/wire';
import { REDACTED, readTrace, TRACE_HEADERS } from '@thalweg/wire';
import type { Direction, FlowConnection, Mutable } from './connection.ts';
import type { MessageSpan, Outcome, RequestPart, ResponsePart } from './exchange.ts';

const REQUEST_ID = 'x-request-id';
const FORWARDED_FOR = 'x-forwarded-for';

/** Headers that are read for their meaning, whether or not they are kept in rows. */
export const MEANT_HEADERS: readonly string[] = [...TRACE_HEADERS, REQUEST_ID, FORWARDED_FOR];

interface Meaning {
  trace: TraceContext | undefined;
  requestId: string;
  forwardedFor: string;
  headers: readonly (readonly [name: string, value: string])[];
}

/** Turns heads into parts of an exchange; the allow-list decides which headers stay. */
export function createMessageReader(allowed: ReadonlySet<string>): {
  /** `answeredBeforeNs`: end of the answer before it on its connection. */
  request(head: Http1Head, direction: Direction, answeredBeforeNs: number): Mutable<RequestPart>;
  response(head: Http1Head, direction: Direction): Mutable<ResponsePart>;
} {
  const tracing = new Set(TRACE_HEADERS);
  const areAllKept = MEANT_HEADERS.every((name) => allowed.has(name));
  const meaning: Meaning = { trace: undefined, requestId: '', forwardedFor: '', headers: [] };

  function read(headers: Http1Head['headers']): void {
    meaning.requestId = '';
    meaning.forwardedFor = '';
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
    meaning.trace = isTraced ? readTrace(headers) : undefined;
    meaning.headers = dropped === 0 ? headers : headers.filter(([name]) => allowed.has(name));
  }

  return {
    request(head, direction, answeredBeforeNs) {
      read(head.headers);
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
        method: head.method,
        path: head.path,
        host: head.host,
        version: head.version,
        contentLength: head.contentLength,
        trace: meaning.trace,
        requestId: meaning.requestId,
        forwardedFor: meaning.forwardedFor,
        answeredBeforeNs,
        note: undefined,
        headers: meaning.headers,
      };
    },
    response(head, direction) {
      read(head.headers);
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
        outcome: outcomeOf(head.status),
        status: head.status,
        reason: head.reason,
        result: '',
        version: head.version,
        contentLength: head.contentLength,
        trace: meaning.trace,
        requestId: meaning.requestId,
        headers: meaning.headers,
      };
    },
  };
}

function outcomeOf(status: number): Outcome {
  if (status < 400) return 'success';
  return status < 500 ? 'client-error' : 'server-error';
}

const NO_HEADERS = [] as const;

/** A request of a protocol without headers. */
export function plainRequest(
  direction: Direction,
  { answeredNs }: FlowConnection,
  facts: Pick<RequestPart, 'method' | 'path'> & Partial<Pick<RequestPart, 'host'>>,
): Mutable<RequestPart> {
  return {
    ...spanOf(direction),
    method: facts.method,
    path: facts.path,
    host: facts.host ?? '',
    version: '',
    contentLength: undefined,
    trace: undefined,
    requestId: '',
    forwardedFor: '',
    answeredBeforeNs: answeredNs,
    note: undefined,
    headers: NO_HEADERS,
  };
}

export function plainResponse(
  direction: Direction,
  facts: Pick<ResponsePart, 'outcome' | 'reason' | 'result'>,
): Mutable<ResponsePart> {
  return {
    ...spanOf(direction),
    outcome: facts.outcome,
    status: 0,
    reason: facts.reason,
    result: facts.result,
    version: '',
    contentLength: undefined,
    trace: undefined,
    requestId: '',
    headers: NO_HEADERS,
  };
}

function spanOf(direction: Direction): MessageSpan {
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
