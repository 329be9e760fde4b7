import type { Exemplar } from '../traceql/exemplars.ts';
import type { TraceMetrics } from '../traceql/metrics.ts';
import type { Grid, MetricSeries } from '../traceql/series-fold.ts';
import { jsonAttributes } from './otlp-trace.ts';

// Tempo's answers to metrics queries, as JSON of its messages QueryRangeResponse and
// QueryInstantResponse. Source: Tempo's documentation, "Tempo HTTP API", TraceQL metrics.

/** A sample stands at the end of its interval. */
export function rangeAnswer(found: TraceMetrics, { fromUs, stepUs }: Grid): object {
  const series = found.series.map((one) => ({
    ...labelsAnswer(one),
    samples: [...one.values].flatMap((value, at) =>
      Number.isNaN(value) ? [] : [{ timestampMs: msText(fromUs + (at + 1) * stepUs), value }],
    ),
    ...(one.exemplars.length === 0 ? {} : { exemplars: one.exemplars.map(exemplarAnswer) }),
  }));
  const { partial } = found;
  return {
    series,
    metrics: workAnswer(found),
    ...(partial === undefined ? {} : { status: 'PARTIAL', message: partial }),
  };
}

/** Of a grid of one interval. Grafana refuses members that its version does not know: no message. */
export function instantAnswer(found: TraceMetrics): object {
  const series = found.series
    .filter(({ values }) => !Number.isNaN(values[0]))
    .map((one) => ({ ...labelsAnswer(one), value: one.values[0] }));
  return { series, metrics: workAnswer(found) };
}

const msText = (us: number): string => String(Math.round(us / 1e3));

function exemplarAnswer({ traceId, startUs, value }: Exemplar): object {
  const labels = jsonAttributes(new Map([['trace:id', traceId]]));
  return { labels, value, timestampMs: msText(startUs) };
}

function labelsAnswer({ labels }: MetricSeries): { labels: object[]; promLabels: string } {
  const texts = labels.map(([name, value]) => `${name}=${JSON.stringify(String(value))}`);
  return { labels: jsonAttributes(new Map(labels)), promLabels: `{${texts.join(', ')}}` };
}

function workAnswer({ inspectedTraces, inspectedSpans, partial }: TraceMetrics): object {
  return {
    inspectedTraces,
    inspectedSpans: String(inspectedSpans),
    completedJobs: partial === undefined ? 1 : 0,
    totalJobs: 1,
  };
}
