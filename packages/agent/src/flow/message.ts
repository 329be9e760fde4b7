import type { Http1Head, TraceContext } from '@thalweg/wire';
import { REDACTED, readTrace, TRACE_HEADERS } from '@thalweg/wire';
import type { Direction, Mutable } from './connection.ts';
import type { RequestPart, ResponsePart } from './exchange.ts';

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
        size: direction.http.size,
        captured: direction.http.captured,
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
        size: direction.http.size,
        captured: direction.http.captured,
        bodySize: 0,
        status: head.status,
        reason: head.reason,
        version: head.version,
        contentLength: head.contentLength,
        trace: meaning.trace,
        requestId: meaning.requestId,
        headers: meaning.headers,
      };
    },
  };
}

/** Brings the sizes and the end of a message up to date. */
export function measure(part: Mutable<RequestPart> | Mutable<ResponsePart>, of: Direction): void {
  part.endNs = of.lastNs;
  part.size = of.http.size;
  part.captured = of.http.captured;
  // Where a head's end was not captured, its declared length is better than a guess.
  part.bodySize = Math.min(of.http.bodySize, part.contentLength ?? of.http.bodySize);
}
