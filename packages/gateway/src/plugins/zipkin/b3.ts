import type { HeaderFields } from '../../core/http/header-fields.ts';

/** What B3 headers say; an id that is not there is undefined. */
export interface B3Context {
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly parentSpanId: string | undefined;
  /** The caller's decision; undefined leaves it to this hop. */
  readonly isSampled: boolean | undefined;
  readonly isDebug: boolean;
}

const TRACE_ID = /^([0-9a-f]{16}|[0-9a-f]{32})$/i;
const SPAN_ID = /^[0-9a-f]{16}$/i;

/**
 * Reads `b3`, or the several `x-b3-` headers. Undefined when `b3` is there and cannot be read.
 * Source: openzipkin/b3-propagation.
 */
export function readB3(headers: HeaderFields): B3Context | undefined {
  const single = headers.get('b3');
  if (single !== undefined) return readSingle(single);
  const isDebug = headers.get('x-b3-flags') === '1';
  const traceId = matching(TRACE_ID, headers.get('x-b3-traceid'));
  const spanId = matching(SPAN_ID, headers.get('x-b3-spanid'));
  const hasIds = traceId !== undefined && spanId !== undefined;
  return {
    traceId: hasIds ? traceId : undefined,
    spanId: hasIds ? spanId : undefined,
    parentSpanId: matching(SPAN_ID, headers.get('x-b3-parentspanid')),
    isSampled: isDebug ? true : decision(headers.get('x-b3-sampled')),
    isDebug,
  };
}

function readSingle(value: string): B3Context | undefined {
  const [first = '', spanId, sampled, parentSpanId] = value.split('-', 5);
  if (spanId === undefined) {
    if (first !== '0' && first !== '1' && first !== 'd') return undefined;
    return { ...NO_IDS, isSampled: first !== '0', isDebug: first === 'd' };
  }
  if (!TRACE_ID.test(first) || !SPAN_ID.test(spanId)) return undefined;
  const isDebug = sampled === 'd';
  return {
    traceId: first.toLowerCase(),
    spanId: spanId.toLowerCase(),
    parentSpanId: matching(SPAN_ID, parentSpanId),
    isSampled: isDebug ? true : decision(sampled),
    isDebug,
  };
}

const NO_IDS = { traceId: undefined, spanId: undefined, parentSpanId: undefined } as const;

function matching(pattern: RegExp, value: string | undefined): string | undefined {
  return value !== undefined && pattern.test(value) ? value.toLowerCase() : undefined;
}

function decision(value: string | undefined): boolean | undefined {
  if (value === '1' || value === 'true') return true;
  return value === '0' || value === 'false' ? false : undefined;
}
