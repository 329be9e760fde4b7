import { type Exemplar, nearestLine, sharedExemplars, type Whereabouts } from './exemplars.ts';
import { compare, evaluateField } from './field.ts';
import { addToSketch, type QuantileSketch, quantileOf } from './quantile-sketch.ts';
import type { Field, MetricsFunction, MetricsStage, SeriesStage, Value } from './syntax.ts';
import type { SpanView, TraceView } from './trace-view.ts';

/** Intervals of one length, one behind the other. A span belongs where its start lies. */
export interface Grid {
  /** Exclusive start of the first interval, microseconds; an interval holds its end. */
  readonly fromUs: number;
  readonly stepUs: number;
  readonly count: number;
}

export interface MetricSeries {
  readonly labels: readonly (readonly [name: string, value: Value])[];
  /** One for each interval; NaN: no value. */
  readonly values: Float64Array;
  readonly exemplars: readonly Exemplar[];
}

export interface SeriesFold {
  /** Adds a span that was found `weight` times in the interval; `where` one of them is. */
  add(
    span: SpanView,
    view: TraceView,
    interval: number,
    weight: number,
    where: () => Whereabouts,
  ): void;
  /** Series by their labels; `droppedGroups` did not fit. */
  finish(): { readonly series: readonly MetricSeries[]; readonly droppedGroups: number };
}

const GROUPS_MAX = 1_000;
/** Groups times intervals: 8 bytes each, and sketches behind some. */
const CELLS_MAX = 2_000_000;
const SECONDS_A_NANOSECOND = 1e-9;

interface Cell {
  count: number;
  sum: number;
  least: number;
  most: number;
  /** Of a quantile, buckets of 1 %; of a histogram, powers of two. */
  sketch?: QuantileSketch;
  /** The one of the largest value; of a histogram, of each bucket. */
  exemplars?: Map<number, Exemplar>;
}

interface Group {
  readonly by: readonly Value[];
  readonly cells: (Cell | undefined)[];
}

/** Numbers over time of the spans that a metrics query found. Durations are seconds. */
export function createSeriesFold(
  metrics: MetricsStage,
  grid: Grid,
  exemplarsMax: number,
): SeriesFold {
  const groups = new Map<string, Group>();
  const dropped = new Set<string>();
  const groupsMax = Math.min(GROUPS_MAX, Math.floor(CELLS_MAX / grid.count));

  function groupOf(span: SpanView, view: TraceView): Group | undefined {
    const by = metrics.by.map(({ field }) => evaluateField(field, span, view));
    const key = JSON.stringify(by.map((value) => value ?? null));
    const known = groups.get(key);
    if (known !== undefined) return known;
    if (groups.size >= groupsMax) {
      if (dropped.size < GROUPS_MAX) dropped.add(key);
      return undefined;
    }
    const group: Group = { by, cells: new Array<Cell | undefined>(grid.count).fill(undefined) };
    groups.set(key, group);
    return group;
  }

  return {
    add: (span, view, interval, weight, where) => {
      const value = metrics.field === undefined ? 1 : numberAt(metrics.field, span, view);
      if (Number.isNaN(value) || interval < 0 || interval >= grid.count) return;
      const cells = groupOf(span, view)?.cells;
      if (cells === undefined) return;
      const cell = cells[interval] ?? { count: 0, sum: 0, least: Infinity, most: -Infinity };
      cells[interval] = cell;
      addTo(cell, metrics, value, weight);
      if (exemplarsMax > 0) exemplify(cell, metrics, { value, interval, where });
    },
    finish: () => {
      // By their labels, so that of equals the same ones are always kept.
      const ordered = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
      const all = ordered.flatMap(([, group]) => seriesOf(metrics, grid, group));
      const series = metrics.then.reduce(applyStage, all).filter(hasValue);
      return { series: sharedExemplars(series, exemplarsMax), droppedGroups: dropped.size };
    },
  };
}

function numberAt(field: Field, span: SpanView, view: TraceView): number {
  const value = evaluateField(field, span, view);
  return typeof value === 'number' || typeof value === 'string'
    ? Number(value === '' ? Number.NaN : value)
    : Number.NaN;
}

function addTo(cell: Cell, { name }: MetricsStage, value: number, weight: number): void {
  cell.count += weight;
  cell.sum += value * weight;
  cell.least = Math.min(cell.least, value);
  cell.most = Math.max(cell.most, value);
  if (name !== 'quantile_over_time' && name !== 'histogram_over_time') return;
  cell.sketch ??= new Map<number, number>();
  if (name === 'quantile_over_time') addToSketch(cell.sketch, value, weight);
  else if (value > 0) {
    const bucket = bucketOf(value);
    cell.sketch.set(bucket, (cell.sketch.get(bucket) ?? 0) + weight);
  }
}

/** A histogram's buckets end at powers of two. */
const bucketOf = (value: number): number => 2 ** Math.ceil(Math.log2(value));

function exemplify(
  cell: Cell,
  { name, field }: MetricsStage,
  span: { readonly value: number; readonly interval: number; readonly where: () => Whereabouts },
): void {
  const { value, interval, where } = span;
  const key = name === 'histogram_over_time' ? bucketOf(value) : 0;
  cell.exemplars ??= new Map();
  const kept = cell.exemplars.get(key);
  const shown = field === undefined ? Number.NaN : value * scaleOf(field);
  if (kept !== undefined && !(shown > kept.value)) return;
  cell.exemplars.set(key, { ...where(), interval, value: shown });
}

function exemplarsOf(cells: Group['cells'], key = 0): Exemplar[] {
  return cells.flatMap((cell) => cell?.exemplars?.get(key) ?? []);
}

function seriesOf(metrics: MetricsStage, grid: Grid, { by, cells }: Group): MetricSeries[] {
  const { name, field, quantiles } = metrics;
  const scale = scaleOf(field);
  const labels = metrics.by.map(({ label }, at): [string, Value] => [label, by[at] ?? 'nil']);
  if (name === 'quantile_over_time') {
    const lines = quantiles.map((quantile) =>
      Float64Array.from(cells, (cell) => quantileOf(cell?.sketch ?? new Map(), quantile) * scale),
    );
    const exemplars = nearestLine(lines, exemplarsOf(cells));
    return lines.map((values, at) => ({
      labels: [...labels, ['p', quantiles[at]]],
      values,
      exemplars: exemplars[at] ?? [],
    }));
  }
  if (name === 'histogram_over_time') {
    const buckets = new Set(cells.flatMap((cell) => [...(cell?.sketch?.keys() ?? [])]));
    return [...buckets]
      .sort((a, b) => a - b)
      .map((bucket) => ({
        labels: [...labels, ['__bucket', bucket * scale]],
        values: Float64Array.from(cells, (cell) => cell?.sketch?.get(bucket) ?? 0),
        exemplars: exemplarsOf(cells, bucket),
      }));
  }
  const seconds = grid.stepUs / 1e6;
  return [
    {
      labels: labels.length === 0 ? [['__name__', name]] : labels,
      values: Float64Array.from(cells, (cell) =>
        cell === undefined ? emptyValue(name) : valueAt(name, cell, { seconds, scale }),
      ),
      exemplars: exemplarsOf(cells),
    },
  ];
}

/** Nothing was counted; of nothing there is no least. */
function emptyValue(name: MetricsFunction): number {
  return name === 'rate' || name === 'count_over_time' ? 0 : Number.NaN;
}

function valueAt(
  name: Exclude<MetricsFunction, 'quantile_over_time' | 'histogram_over_time'>,
  { count, sum, least, most }: Cell,
  { seconds, scale }: { readonly seconds: number; readonly scale: number },
): number {
  switch (name) {
    case 'rate':
      return count / seconds;
    case 'count_over_time':
      return count;
    case 'sum_over_time':
      return sum * scale;
    case 'avg_over_time':
      return (sum / count) * scale;
    case 'min_over_time':
      return least * scale;
    case 'max_over_time':
      return most * scale;
  }
}

/** Durations are nanoseconds in a query and seconds in a series. */
function scaleOf(field: Field | undefined): number {
  if (field?.kind !== 'intrinsic') return 1;
  const isDuration = ['duration', 'traceDuration', 'eventTimeSinceStart'].includes(field.intrinsic);
  return isDuration ? SECONDS_A_NANOSECOND : 1;
}

function applyStage(series: readonly MetricSeries[], stage: SeriesStage): MetricSeries[] {
  if (stage.kind === 'threshold') {
    return series.map((one) => ({
      ...one,
      values: one.values.map((value) =>
        compare(stage.operator, value, stage.value) ? value : Number.NaN,
      ),
    }));
  }
  const sign = stage.kind === 'topk' ? -1 : 1;
  const kept = series.map((one) => ({ ...one, values: one.values.slice() }));
  const count = kept[0]?.values.length ?? 0;
  for (let at = 0; at < count; at += 1) {
    const ranked = kept
      .filter(({ values }) => !Number.isNaN(values[at]))
      .sort((a, b) => sign * ((a.values[at] ?? 0) - (b.values[at] ?? 0)));
    for (const { values } of ranked.slice(stage.count)) values[at] = Number.NaN;
  }
  return kept;
}

function hasValue({ values }: MetricSeries): boolean {
  return values.some((value) => !Number.isNaN(value));
}
