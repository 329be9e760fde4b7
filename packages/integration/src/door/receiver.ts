import type { IncomingHttpHeaders } from 'node:http';

/** A request whose body is whole, within its limit and unpacked. */
export interface Received {
  readonly method: string;
  /** One of the receiver's paths. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Lower case, without parameters; '' when the sender named none. */
  readonly mediaType: string;
  /** Unpacked, but for encodings that the receiver unpacks itself. */
  readonly body: Buffer;
  /** The peer's address. */
  readonly sender: string;
}

export interface Answer {
  readonly status: number;
  readonly body?: string | Uint8Array;
  readonly mediaType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the sender's account: rows kept, rows refused. */
  readonly rows?: number;
  readonly rejected?: number;
  /** Why it was not kept, in one or two words; a label of the counters, so never the sender's text. */
  readonly reason?: string;
}

/** What went wrong, before a receiver says it in its own format. */
export interface Fault {
  readonly status: number;
  /** Stable: `body_too_large`, `body_corrupt`, … */
  readonly code: string;
  readonly message: string;
  readonly retryAfterS?: number;
}

/** One kind of telemetry that comes by HTTP. Data: the door does the rest. */
export interface Receiver {
  /** Label of its counters: `otlp_traces`. */
  readonly name: string;
  /** Whole paths, without a slash at the end. */
  readonly paths: readonly string[];
  /** Requests by other methods are somebody else's, where the door is not alone. */
  readonly sharesPaths?: boolean;
  /** `POST` when absent. */
  readonly methods?: readonly string[];
  /** Media types that it reads; absent: any. A request without one is taken. */
  readonly mediaTypes?: readonly string[];
  /** Content encodings that `handle` gets as they came, such as `snappy`. */
  readonly rawEncodings?: readonly string[];
  /** A limit below the door's own. */
  readonly bodyBytesMax?: number;
  handle(request: Received): Answer | Promise<Answer>;
  /** A fault in the format of the receiver's senders; absent: JSON of ours. */
  fault?(fault: Fault, mediaType: string): Answer;
}

/** JSON: `{"error": {"code", "message"}}`, as everywhere in the API. */
export function faultAnswer(fault: Fault): Answer {
  const { status, code, message, retryAfterS } = fault;
  return {
    status,
    mediaType: 'application/json',
    body: `${JSON.stringify({ error: { code, message } })}\n`,
    reason: code,
    ...(retryAfterS === undefined ? {} : { headers: { 'retry-after': String(retryAfterS) } }),
  };
}
