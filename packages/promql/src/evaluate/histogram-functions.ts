import {
  histogramFraction,
  histogramQuantile,
  histogramVariance,
} from '../histogram/statistics.ts';
import { labelsKey, labelValue, NAME_LABEL, withLabel, withoutLabels } from '../labels.ts';
import { formatFloat, parseNumber } from '../parse/numbers.ts';
import { isLabelName, quote } from '../parse/quoting.ts';
import type { Histogram, Labels } from '../series-source.ts';
import { MESSAGES } from './annotations.ts';
import type { CallArguments, VectorFunction } from './call.ts';
import {
  type ClassicBucket,
  classicFraction,
  classicQuantile,
  forceMonotonic,
  orderBuckets,
} from './classic-histogram.ts';
import { executionFault } from './evaluation.ts';
import { mergeRows } from './names.ts';
import { FLOAT, HISTOGRAM, newRow, type Row, setSample } from './row.ts';

const BUCKET_LABEL = 'le';
const BUCKET_LABELS: ReadonlySet<string> = new Set([BUCKET_LABEL]);

/** Histogram samples through a function; floats have no answer. */
const ofHistograms =
  (compute: (histogram: Histogram) => number): VectorFunction =>
  ({ rows, grid }) =>
    rows(0).map((row) => {
      const out = newRow(row.labels, grid.steps, true);
      row.histograms?.forEach((histogram, step) => {
        if (row.has[step] !== HISTOGRAM || histogram === undefined) return;
        setSample(out, step, compute(histogram));
      });
      return out;
    });

/** Rows that differ in `le` only, with the bound of each. */
interface Group {
  readonly labels: Labels;
  readonly classic: { readonly upper: number; readonly row: Row }[];
  /** Rows that hold histograms. */
  readonly native: Row[];
}

function groupBuckets(args: CallArguments, index: number): Group[] {
  const groups = new Map<string, Group>();
  const at = rangeOf(args, index);
  for (const row of args.rows(index)) {
    const labels = withoutLabels(row.labels, BUCKET_LABELS);
    const key = labelsKey(labels);
    const group = groups.get(key) ?? { labels, classic: [], native: [] };
    groups.set(key, group);
    if (row.has.includes(HISTOGRAM)) group.native.push(row);
    if (!row.has.includes(FLOAT)) continue;
    const bound = labelValue(row.labels, BUCKET_LABEL);
    const upper = bound === '' ? undefined : parseNumber(bound);
    if (upper === undefined) {
      const name = labelValue(row.labels, NAME_LABEL);
      args.evaluation.annotations.warn(MESSAGES.badBucketLabel(bound, name), at);
    } else group.classic.push({ upper, row });
  }
  return [...groups.values()];
}

const rangeOf = ({ call }: CallArguments, index: number): { readonly start: number } =>
  call.args[index]?.range ?? call.range;

interface Statistic {
  classic(buckets: ClassicBucket[], step: number, name: string): number;
  native(histogram: Histogram, step: number, name: string): number;
}

function overGroups(args: CallArguments, index: number, statistic: Statistic): Row[] {
  const { grid, evaluation } = args;
  return groupBuckets(args, index).map(({ labels, classic, native }) => {
    const name = labelValue(labels, NAME_LABEL);
    const out = newRow(labels, grid.steps, true);
    for (let step = 0; step < grid.steps; step++) {
      const buckets = classic
        .filter(({ row }) => row.has[step] === FLOAT)
        .map(({ upper, row }) => ({ upper, count: row.values[step] ?? Number.NaN }));
      const histograms = native.flatMap((row) =>
        row.has[step] === HISTOGRAM ? (row.histograms?.[step] ?? []) : [],
      );
      const [histogram] = histograms;
      if (histogram !== undefined && buckets.length > 0) {
        evaluation.annotations.warn(MESSAGES.mixedClassicNative(name), rangeOf(args, index));
      } else if (histogram !== undefined) {
        setSample(out, step, statistic.native(histogram, step, name));
      } else if (buckets.length > 0) {
        setSample(out, step, statistic.classic(buckets, step, name));
      }
    }
    return out;
  });
}

function quantileRows(args: CallArguments, index: number, q: (step: number) => number): Row[] {
  const at = rangeOf(args, index);
  const { annotations } = args.evaluation;
  return overGroups(args, index, {
    classic(buckets, step, name) {
      const ordered = orderBuckets(buckets);
      const wanted = q(step);
      if (!(wanted >= 0 && wanted <= 1)) return classicQuantile(wanted, buckets);
      if (ordered === undefined) return Number.NaN;
      if (forceMonotonic(ordered)) annotations.inform(MESSAGES.forcedMonotonicity(name), at);
      return classicQuantile(wanted, ordered);
    },
    native(histogram, step, name) {
      const { value, nan } = histogramQuantile(q(step), histogram);
      if (nan === 'result') annotations.inform(MESSAGES.quantileOfNaN(name), at);
      if (nan === 'skew') annotations.inform(MESSAGES.quantileSkewed(name), at);
      return value;
    },
  });
}

function warnOfQuantile(args: CallArguments, index: number): void {
  for (let step = 0; step < args.grid.steps; step++) {
    const q = args.scalar(index, step);
    if (q >= 0 && q <= 1) continue;
    args.evaluation.annotations.warn(MESSAGES.invalidQuantile(q), rangeOf(args, index));
  }
}

function histogramQuantiles(args: CallArguments): Row[] {
  const label = args.text(1);
  if (!isLabelName(label)) throw executionFault(`invalid label name ${quote(label)}`);
  const rows: Row[] = [];
  for (let index = 2; index < args.count; index++) {
    warnOfQuantile(args, index);
    const text = openMetricsFloat(args.scalar(index, 0));
    for (const row of quantileRows(args, 0, (step) => args.scalar(index, step))) {
      rows.push({ ...row, labels: withLabel(row.labels, label, text) });
    }
  }
  return mergeRows(rows);
}

/** Whole numbers get a fraction: `1.0`. Source: OpenMetrics, "Canonical Numbers". */
function openMetricsFloat(value: number): string {
  const text = formatFloat(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function histogramFractions(args: CallArguments): Row[] {
  const at = rangeOf(args, 2);
  return overGroups(args, 2, {
    classic(buckets, step) {
      const ordered = orderBuckets(buckets);
      if (ordered === undefined) return Number.NaN;
      forceMonotonic(ordered);
      return classicFraction(args.scalar(0, step), args.scalar(1, step), ordered);
    },
    native(histogram, step, name) {
      const { value, hasNaN } = histogramFraction(
        args.scalar(0, step),
        args.scalar(1, step),
        histogram,
      );
      if (hasNaN) args.evaluation.annotations.inform(MESSAGES.fractionOfNaN(name), at);
      return value;
    },
  });
}

export const HISTOGRAM_FUNCTIONS: Readonly<Record<string, VectorFunction>> = {
  histogram_avg: ofHistograms(({ sum, count }) => sum / count),
  histogram_count: ofHistograms(({ count }) => count),
  histogram_sum: ofHistograms(({ sum }) => sum),
  histogram_stdvar: ofHistograms(histogramVariance),
  histogram_stddev: ofHistograms((histogram) => Math.sqrt(histogramVariance(histogram))),
  histogram_fraction: histogramFractions,
  histogram_quantile(args) {
    warnOfQuantile(args, 0);
    return quantileRows(args, 1, (step) => args.scalar(0, step));
  },
  histogram_quantiles: histogramQuantiles,
};
