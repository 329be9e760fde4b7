/** Observations in buckets; the last one has no upper bound. */
export interface Histogram {
  readonly counts: Float64Array;
  sum: number;
}

export function createHistogram(bounds: readonly number[]): Histogram {
  return { counts: new Float64Array(bounds.length + 1), sum: 0 };
}

/** `bounds` rise and are inclusive, as Prometheus has them. */
export function observe(histogram: Histogram, bounds: readonly number[], value: number): void {
  let at = 0;
  while (at < bounds.length && value > (bounds[at] ?? 0)) at += 1;
  histogram.counts[at] = (histogram.counts[at] ?? 0) + 1;
  histogram.sum += value;
}

/** Lines of one histogram in the text format: buckets count everything below them. */
export function histogramLines(
  name: string,
  labels: string,
  { counts, sum }: Histogram,
  bounds: readonly number[],
): string {
  let text = '';
  let total = 0;
  for (let at = 0; at < counts.length; at += 1) {
    total += counts[at] ?? 0;
    const bound = at < bounds.length ? String(bounds[at]) : '+Inf';
    text += `${name}_bucket{${labels},le="${bound}"} ${total}\n`;
  }
  return `${text}${name}_count{${labels}} ${total}\n${name}_sum{${labels}} ${sum}\n`;
}
