import { type SpanView, type TraceView, traceHexId } from './trace-view.ts';

/** One span of those that a number tells of, and the trace to look it up in. */
export interface Exemplar {
  readonly traceId: string;
  readonly startUs: number;
  /** The interval of the grid that the span lies in. */
  readonly interval: number;
  /** Of the field that is asked; NaN where spans are counted: it lies on the line. */
  readonly value: number;
}

/** Where a span is to be found. */
export type Whereabouts = Pick<Exemplar, 'traceId' | 'startUs'>;

interface Exemplified {
  readonly values: Float64Array;
  readonly exemplars: readonly Exemplar[];
}

export function whereabouts({ span }: SpanView, { trace }: TraceView): Whereabouts {
  return { traceId: traceHexId(trace), startUs: span.startUs };
}

/**
 * At most `most` exemplars in all, an equal share a series, spread over its time; none where a stage
 * took the series' value away. Those without a value of their own get the series'.
 */
export function sharedExemplars<Series extends Exemplified>(
  series: readonly Series[],
  most: number,
): Series[] {
  const share = Math.max(1, Math.floor(most / Math.max(1, series.length)));
  let left = most;
  return series.map((one) => {
    const shown = one.exemplars.filter(({ interval }) => !Number.isNaN(one.values[interval]));
    const count = Math.min(share, left, shown.length);
    left -= count;
    const exemplars = Array.from({ length: count }, (_, at) =>
      placed(one, shown[Math.floor((at * shown.length) / count)]),
    );
    return { ...one, exemplars };
  });
}

function placed({ values }: Exemplified, exemplar: Exemplar | undefined): Exemplar {
  if (exemplar === undefined) throw new Error('BUG: an exemplar behind the last one');
  if (!Number.isNaN(exemplar.value)) return exemplar;
  return { ...exemplar, value: values[exemplar.interval] ?? Number.NaN };
}

/** Of each exemplar, the one of several lines that is nearest to it in its interval. */
export function nearestLine(
  lines: readonly Float64Array[],
  exemplars: readonly Exemplar[],
): Exemplar[][] {
  const found = lines.map((): Exemplar[] => []);
  for (const exemplar of exemplars) {
    const distances = lines.map((line) =>
      Math.abs((line[exemplar.interval] ?? Number.NaN) - exemplar.value),
    );
    found[distances.indexOf(Math.min(...distances))]?.push(exemplar);
  }
  return found;
}
