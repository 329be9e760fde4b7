import type { Spanset } from '../traceql/evaluate.ts';
import { evaluateField } from '../traceql/field.ts';
import type { TraceqlAnswer, TraceqlMatch } from '../traceql/search.ts';
import type { Value } from '../traceql/syntax.ts';
import { spanHexId, spanName, traceHexId } from '../traceql/trace-view.ts';
import { jsonAttributes } from './otlp-trace.ts';

/** Tempo's search answer. Source: Tempo's documentation, "Tempo HTTP API", search. */
export function searchAnswer(answer: TraceqlAnswer, spansPerSpanset: number): object {
  return {
    traces: answer.matches.map((match) => traceAnswer(match, spansPerSpanset)),
    metrics: {
      inspectedTraces: answer.inspectedTraces,
      completedJobs: answer.isPartial ? 0 : 1,
      totalJobs: 1,
    },
  };
}

function traceAnswer({ view, spansets }: TraceqlMatch, spansPerSpanset: number): object {
  const { trace } = view;
  const root = trace.spans[0];
  const sets = spansets.map((set) => spansetAnswer(set, view, spansPerSpanset));
  return {
    traceID: traceHexId(trace),
    rootServiceName: root?.service ?? '',
    rootTraceName: root === undefined ? '' : spanName(root),
    startTimeUnixNano: nanos(trace.startUs),
    durationMs: Math.round((trace.endUs - trace.startUs) / 1e3),
    ...(sets[0] === undefined ? {} : { spanSet: sets[0] }),
    spanSets: sets,
    serviceStats: serviceStats(trace.spans),
  };
}

function spansetAnswer(set: Spanset, view: TraceqlMatch['view'], most: number): object {
  return {
    spans: set.spans.slice(0, most).map((at) => {
      const selected = new Map<string, Value>(
        set.selected.map(({ field, label }) => [label, evaluateField(field, at, view)]),
      );
      const { span } = at;
      return {
        spanID: spanHexId(view.trace, span.spanId),
        name: spanName(span),
        startTimeUnixNano: nanos(span.startUs),
        durationNanos: String((span.endUs - span.startUs) * 1e3),
        attributes: jsonAttributes(
          new Map<string, Value>([['service.name', span.service], ...selected]),
        ),
      };
    }),
    matched: set.spans.length,
    ...(set.attributes.size === 0 ? {} : { attributes: jsonAttributes(set.attributes) }),
  };
}

function serviceStats(spans: TraceqlMatch['view']['trace']['spans']): object {
  const stats = new Map<string, { spanCount: number; errorCount?: number }>();
  for (const { service, isError } of spans) {
    const one = stats.get(service) ?? { spanCount: 0 };
    stats.set(service, one);
    one.spanCount += 1;
    if (isError) one.errorCount = (one.errorCount ?? 0) + 1;
  }
  return Object.fromEntries(stats);
}

/** Microseconds as decimal nanoseconds: they exceed 2^53. */
const nanos = (us: number): string => `${us}000`;
