import type { ProtocolName } from './protocol.ts';

/**
 * A request and its response as one observer saw them: the flow room's answer and the input of the
 * resolver and of `replay`. Times are the source's monotonic nanoseconds, like `Transfer.atNs`.
 * Strings are decoded once, copied out of the ring, and safe to keep.
 */
export interface Exchange {
  readonly connection: Connection;
  /** `request` alone when no answer came; `response` alone when the request was not seen. */
  readonly kind: 'session' | 'request' | 'response';
  readonly request: RequestPart | undefined;
  readonly response: ResponsePart | undefined;
  /** Events were lost on this connection before or inside this exchange. */
  readonly isLossy: boolean;
}

/**
 * The connection as the observed process sees it. Never changed: one that goes to another process
 * or learns its role or its protocol becomes a new object, so that what was derived from the old one may be kept.
 */
export interface Connection {
  readonly id: number;
  /** HTTP/1 until the bytes say otherwise. */
  readonly protocol: ProtocolName;
  /** Unknown only where neither the kernel nor the traffic tells. */
  readonly role: 'client' | 'server' | 'unknown';
  readonly pid: number;
  readonly comm: string;
  readonly netns: number;
  /** A unix-domain stream: both addresses are the path that its server is bound to, its end. */
  readonly isUnix: boolean;
  readonly localIp: string;
  readonly localPort: number;
  readonly remoteIp: string;
  readonly remotePort: number;
}

/** When and where a message's bytes passed. */
export interface MessageSpan {
  readonly startNs: number;
  readonly endNs: number;
  /** TCP sequence number of the message's first byte. */
  readonly sequence: number;
  readonly tid: number;
  readonly turnId: number;
  readonly causeId: number;
  readonly causeKind: number;
  /** Bytes on the wire (head and body) and how many of them were looked at. */
  readonly size: number;
  readonly captured: number;
  /** Body bytes as transferred (chunk framing excluded). */
  readonly bodySize: number;
}

export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
}

/** Parts of other protocols than HTTP leave empty what they do not have. */
export interface RequestPart extends MessageSpan {
  /** Where the answer begins, should there be one: both ends know it. 0 when not known. */
  readonly answerSequence: number;
  /** The verb: method or command. */
  readonly method: string;
  /**
   * As sent in the request line, without an absolute form's scheme and authority; or the statement,
   * without the values in it.
   */
  readonly path: string;
  readonly host: string;
  readonly version: string;
  readonly contentLength: number | undefined;
  readonly trace: TraceIds | undefined;
  readonly requestId: string;
  readonly forwardedFor: string;
  /** End of the answer before it on this connection; -Infinity when there was none. */
  readonly answeredBeforeNs: number;
  /** A note of whoever follows the request from its head to its exchange: saves it a look-up. */
  note: object | undefined;
  /** Allowed headers only, redacted where the name asks for it. Lower-case names. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Whose fault it is, where it went wrong. */
export type Outcome = 'success' | 'client-error' | 'server-error';

export interface ResponsePart extends MessageSpan {
  readonly outcome: Outcome;
  /** HTTP's status code; 0 for protocols whose codes are no numbers. */
  readonly status: number;
  /** HTTP's reason phrase, or the text of an error. */
  readonly reason: string;
  /** A short form of the answer. */
  readonly result: string;
  readonly version: string;
  readonly contentLength: number | undefined;
  readonly trace: TraceIds | undefined;
  readonly requestId: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}
