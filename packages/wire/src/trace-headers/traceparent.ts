import { isHex, isZeros, type TraceContext } from './trace-context.ts';

/**
 * `traceparent: 00-<32 hex>-<16 hex>-<2 hex>`, strictly: lower case, no zero ids, no version ff;
 * a later version may have more after a dash. Undefined when it does not conform.
 * Source: W3C Trace Context §3.2.
 */
export function parseTraceparent(value: string): TraceContext | undefined {
  if (value.length < 55) return undefined;
  if (value[2] !== '-' || value[35] !== '-' || value[52] !== '-') return undefined;
  if (!isHex(value, 0, 2, false) || value.startsWith('ff')) return undefined;
  if (!isHex(value, 3, 35, false) || isZeros(value, 3, 35)) return undefined;
  if (!isHex(value, 36, 52, false) || isZeros(value, 36, 52)) return undefined;
  if (!isHex(value, 53, 55, false)) return undefined;
  if (value.length > 55 && (value.startsWith('00') || value[55] !== '-')) return undefined;
  return { traceId: value.slice(3, 35), spanId: value.slice(36, 52), parentSpanId: '' };
}
