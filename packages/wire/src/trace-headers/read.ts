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
 * sw8, b3 (single, then multi), uber-trace-id; of one header sent twice, the first that is not empty.
 */
export function readTrace(headers: Headers): TraceContext | undefined {
  let sw8 = '';
  let b3 = '';
  let b3Trace = '';
  let b3Span = '';
  let b3Parent = '';
  let uber = '';
  // One pass: this runs for each message that carries an id.
  for (const [name, value] of headers) {
    if (name === 'traceparent') {
      const context = parseTraceparent(value);
      if (context !== undefined) return context;
    } else if (name === 'sw8') sw8 ||= value;
    else if (name === 'b3') b3 ||= value;
    else if (name === 'x-b3-traceid') b3Trace ||= value;
    else if (name === 'x-b3-spanid') b3Span ||= value;
    else if (name === 'x-b3-parentspanid') b3Parent ||= value;
    else if (name === 'uber-trace-id') uber ||= value;
  }
  return (
    (sw8 === '' ? undefined : parseSw8(sw8)) ??
    (b3 === '' ? undefined : parseB3(b3)) ??
    (b3Trace === '' ? undefined : parseB3Multi(b3Trace, b3Span, b3Parent)) ??
    (uber === '' ? undefined : parseUberTraceId(uber))
  );
}
