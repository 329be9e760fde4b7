export { parseB3, parseB3Multi } from './b3.ts';
export { parseUberTraceId } from './jaeger.ts';
export { readTrace, TRACE_HEADERS } from './read.ts';
export { parseSw8 } from './skywalking.ts';
export type { TraceContext } from './trace-context.ts';
export { parseTraceparent } from './traceparent.ts';
