import { isHex, isZeros, type TraceContext } from './trace-context.ts';

/**
 * `b3: <trace>-<span>[-<sampled>[-<parent>]]`. A lone sampling decision has no ids: undefined.
 * Source: openzipkin/b3-propagation, "Single Header".
 */
export function parseB3(value: string): TraceContext | undefined {
  const [traceId = '', spanId = '', , parentSpanId = ''] = value.split('-', 5);
  return parseB3Multi(traceId, spanId, parentSpanId);
}

/** `x-b3-traceid`, `x-b3-spanid` and `x-b3-parentspanid`; the last may be empty. */
export function parseB3Multi(
  traceId: string,
  spanId: string,
  parentSpanId: string,
): TraceContext | undefined {
  if (traceId.length !== 32 && traceId.length !== 16) return undefined;
  if (!isHex(traceId, 0, traceId.length) || isZeros(traceId, 0, traceId.length)) return undefined;
  const isSpan = spanId.length === 16 && isHex(spanId, 0, 16);
  const isParent = parentSpanId.length === 16 && isHex(parentSpanId, 0, 16);
  return {
    traceId: traceId.toLowerCase(),
    spanId: isSpan ? spanId.toLowerCase() : '',
    parentSpanId: isParent ? parentSpanId.toLowerCase() : '',
  };
}
