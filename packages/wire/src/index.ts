export { createHttp1Decoder } from './http1/decoder.ts';
export type { Http1Head } from './http1/head.ts';
export { createHeaderTable, type HeaderTable, REDACTED } from './http1/header-table.ts';
export * from './http1/sink.ts';
export { createHttp1Stream, type Http1Stream, isBodyOpen } from './http1/stream.ts';
export * from './pcap/index.ts';
export { createTextCache, createTextDecoder, type DecodeText } from './text.ts';
export * from './trace-headers/index.ts';
