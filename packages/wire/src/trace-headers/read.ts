import { parseB3, parseB3Multi } from './b3.ts';
import { parseUberTraceId } from './jaeger.ts';
import { parseSw8 } from './skywalking.ts';
import type { TraceContext } from './trace-context.ts';
import { parseTraceparent } from './traceparent.ts';

/** The headers that `readTrace` wants to see, lower case. */
export const TRACE_HEADERS: readonly string[] = [
  'traceparent',
  'sw8',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'uber-trace-id',
];

type Headers = readonly (readonly [name: string, value: string])[];

/**
 * The ids of a message. Of several formats the first that parses wins, in the order traceparent,
 * sw8, b3 (single, then multi), uber-trace-id; of one header sent twice, the first.
 */
export function readTrace(headers: Headers): TraceContext | undefined {
  return (
    parsed(headers, 'traceparent', parseTraceparent) ??
    parsed(headers, 'sw8', parseSw8) ??
    parsed(headers, 'b3', parseB3) ??
    parseB3Multi(
      headerValue(headers, 'x-b3-traceid'),
      headerValue(headers, 'x-b3-spanid'),
      headerValue(headers, 'x-b3-parentspanid'),
    ) ??
    parsed(headers, 'uber-trace-id', parseUberTraceId)
  );
}

function parsed(
  headers: Headers,
  name: string,
  parse: (value: string) => TraceContext | undefined,
): TraceContext | undefined {
  const value = headerValue(headers, name);
  return value === '' ? undefined : parse(value);
}

function headerValue(headers: Headers, name: string): string {
  for (const [key, value] of headers) if (key === name) return value;
  return '';
}
