// `load_with_nhcb`: classic histograms as native ones with custom bounds.
import { bucketsOf, CUSTOM_SCHEMA, NO_BUCKETS } from '../histogram/buckets.ts';
import { labelsKey, labelValue, NAME_LABEL, withLabel, withoutLabels } from '../labels.ts';
import { parseNumber } from '../parse/numbers.ts';
import type { Histogram, Labels } from '../series-source.ts';
import { ScriptFault, type ScriptSample, type ScriptSeries } from './script.ts';

interface Parts {
  readonly labels: Labels;
  /** Cumulative counts by upper bound. */
  readonly buckets: Map<number, readonly ScriptSample[]>;
  sums?: readonly ScriptSample[];
  counts?: readonly ScriptSample[];
}

const LE: ReadonlySet<string> = new Set(['le']);
const SUFFIX = /_(bucket|sum|count)$/;

export function customHistograms(series: readonly ScriptSeries[]): ScriptSeries[] {
  const histograms = new Map<string, Parts>();
  for (const { labels, samples } of series) {
    const name = labelValue(labels, NAME_LABEL);
    const kind = SUFFIX.exec(name)?.[1];
    const upper = parseNumber(labelValue(labels, 'le'));
    if (kind === undefined || (kind === 'bucket' && upper === undefined)) continue;
    const base = withLabel(withoutLabels(labels, LE), NAME_LABEL, name.replace(SUFFIX, ''));
    const key = labelsKey(base);
    const parts: Parts = histograms.get(key) ?? { labels: base, buckets: new Map() };
    histograms.set(key, parts);
    if (kind === 'sum') parts.sums = samples;
    else if (kind === 'count') parts.counts = samples;
    else if (upper !== undefined && !parts.buckets.has(upper)) parts.buckets.set(upper, samples);
  }
  return [...histograms.values()].filter(({ buckets }) => buckets.size > 0).map(combined);
}

function combined({ labels, buckets, sums, counts }: Parts): ScriptSeries {
  const columns = [...buckets].sort(([a], [b]) => a - b);
  const length = Math.max(...columns.map(([, samples]) => samples.length));
  const samples = Array.from({ length }, (_, i): ScriptSample => {
    const cumulative = columns.flatMap(([upper, column]) => {
      const count = numberAt(column, i);
      return count === undefined ? [] : [[upper, count] as const];
    });
    if (cumulative.length === 0) return undefined;
    return histogramOf(cumulative, numberAt(sums, i) ?? 0, numberAt(counts, i));
  });
  return { labels, samples };
}

function numberAt(samples: readonly ScriptSample[] | undefined, i: number): number | undefined {
  const sample = samples?.[i];
  return typeof sample === 'number' ? sample : undefined;
}

function histogramOf(
  cumulative: readonly (readonly [upper: number, count: number])[],
  sum: number,
  given: number | undefined,
): Histogram {
  const count = given ?? cumulative.at(-1)?.[1] ?? 0;
  const finite = cumulative.filter(([upper]) => upper !== Number.POSITIVE_INFINITY);
  let below = 0;
  const entries = [...finite, [Number.POSITIVE_INFINITY, count] as const].map(([, upTo], index) => {
    const own = upTo - below;
    if (own < 0) throw new ScriptFault('a classic histogram whose buckets do not rise');
    below = upTo;
    return { index, count: own };
  });
  return {
    schema: CUSTOM_SCHEMA,
    sum,
    count,
    zeroThreshold: 0,
    zeroCount: 0,
    positive: bucketsOf(entries),
    negative: NO_BUCKETS,
    customBounds: finite.map(([upper]) => upper),
    counterReset: 'unknown',
  };
}
