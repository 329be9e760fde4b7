/**
 * The head of one message. The decoder fills a single record again and again: read it during the
 * call only. Its strings and its `headers` may be kept: they are never changed, and heads that carry
 * the same headers may share them.
 */
export interface Http1Head {
  isRequest: boolean;
  method: string;
  /** The request target without an absolute form's scheme and authority; `*` and CONNECT as sent. */
  path: string;
  /** Of an absolute or authority form, else of the Host header; empty when neither is there. */
  host: string;
  /** `1.1` or `1.0`; empty when the start line was cut before it. */
  version: string;
  status: number;
  reason: string;
  contentLength: number | undefined;
  hasTransferEncoding: boolean;
  /** The last transfer coding is `chunked`. */
  isChunked: boolean;
  /** Content-Length does not parse or differs from another one: the body's end is not known. */
  isFramingBroken: boolean;
  /** The end of the head was not captured: later headers are missing. */
  isCut: boolean;
  /** One of the table's `meant` names is among `headers`, or was left out of them as one too many. */
  hasMeant: boolean;
  /** Kept headers in order, lower-case names. Names with secrets have the value `[redacted]`. */
  headers: readonly Header[];
}

export type Header = readonly [name: string, value: string];

export function createHttp1Head(): Http1Head {
  return {
    isRequest: false,
    method: '',
    path: '',
    host: '',
    version: '',
    status: 0,
    reason: '',
    contentLength: undefined,
    hasTransferEncoding: false,
    isChunked: false,
    isFramingBroken: false,
    isCut: false,
    hasMeant: false,
    headers: [],
  };
}
