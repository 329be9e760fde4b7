import { isHex, isZeros, type TraceContext } from './trace-context.ts';

/**
 * `uber-trace-id: <trace>:<span>:<parent>:<flags>`, hexadecimal, leading zeros may be missing, the
 * colons may be percent-encoded. Source: jaegertracing.io, "Propagation Format".
 */
export function parseUberTraceId(value: string): TraceContext | undefined {
  const parts = value.replaceAll('%3A', ':').replaceAll('%3a', ':').split(':', 5);
  if (parts.length !== 4) return undefined;
  const [trace = '', span = '', parent = ''] = parts;
  const traceId = padded(trace, trace.length > 16 ? 32 : 16);
  const spanId = padded(span, 16);
  if (traceId === '' || spanId === '') return undefined;
  return { traceId, spanId, parentSpanId: padded(parent, 16) };
}

/** Full length in lower case; empty when it is no id or zero. */
function padded(id: string, length: number): string {
  if (id.length > length || !isHex(id, 0, id.length) || isZeros(id, 0, id.length)) return '';
  return id.toLowerCase().padStart(length, '0');
}
