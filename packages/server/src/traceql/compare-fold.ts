import { evaluateField } from './field.ts';
import { labelOf } from './names.ts';
import type { Grid, MetricSeries, SeriesFold } from './series-fold.ts';
import type { CompareStage, Intrinsic, Value } from './syntax.ts';
import { attributesOf, intrinsicValue, type SpanView, type TraceView } from './trace-view.ts';

/** What is compared besides attributes: those with few values. */
const INTRINSICS: readonly Intrinsic[] = [
  'name',
  'status',
  'statusMessage',
  'kind',
  'rootName',
  'rootServiceName',
  'instrumentationName',
  'instrumentationVersion',
];
/** Values times intervals: 8 bytes each. */
const CELLS_MAX = 2_000_000;
/** Told apart of one attribute; the ones that come later count in its total alone. */
const VALUES_MAX = 1_000;
const TYPE = '__meta_type';
const ERROR_LABEL = '__meta_error';
const TOO_MANY_VALUES = '__too_many_values__';

interface Side {
  readonly name: 'baseline' | 'selection';
  readonly attributes: Map<string, Attribute>;
}

interface Attribute {
  readonly total: Float64Array;
  readonly byValue: Map<Value, Float64Array>;
  hasMore: boolean;
}

/**
 * Counts, for each attribute of the spans, how often each value comes: in the selection, and in all
 * others, the baseline. Series have the label `__meta_type`, whose values end in `_total` for all
 * values of an attribute together, and the attribute; `__meta_error` names one with more values than
 * are answered. Source: Tempo's documentation, "compare".
 */
export function createCompareFold(stage: CompareStage, grid: Grid): SeriesFold {
  const baseline: Side = { name: 'baseline', attributes: new Map() };
  const selection: Side = { name: 'selection', attributes: new Map() };
  let cellsLeft = CELLS_MAX;
  let dropped = 0;

  function newCounts(): Float64Array | undefined {
    if (cellsLeft < grid.count) return undefined;
    cellsLeft -= grid.count;
    return new Float64Array(grid.count);
  }

  function attributeOf({ attributes }: Side, name: string): Attribute | undefined {
    const known = attributes.get(name);
    if (known !== undefined) return known;
    const total = newCounts();
    if (total === undefined) {
      dropped += 1;
      return undefined;
    }
    const attribute: Attribute = { total, byValue: new Map(), hasMore: false };
    attributes.set(name, attribute);
    return attribute;
  }

  function count(attribute: Attribute, value: Value, interval: number, weight: number): void {
    attribute.total[interval] = (attribute.total[interval] ?? 0) + weight;
    const known = attribute.byValue.get(value);
    const counts = known ?? (attribute.byValue.size < VALUES_MAX ? newCounts() : undefined);
    if (counts === undefined) {
      attribute.hasMore = true;
      return;
    }
    if (known === undefined) attribute.byValue.set(value, counts);
    counts[interval] = (counts[interval] ?? 0) + weight;
  }

  return {
    add: (at, view, interval, weight) => {
      if (interval < 0 || interval >= grid.count) return;
      const side = isSelected(stage, at, view) ? selection : baseline;
      for (const [name, value] of comparedValues(at, view)) {
        const attribute = attributeOf(side, name);
        if (attribute !== undefined) count(attribute, value, interval, weight);
      }
    },
    finish: () => {
      const series = seriesOf([baseline, selection], stage, grid);
      return { series, droppedGroups: dropped };
    },
  };
}

function isSelected(
  { selection, fromUs, toUs }: CompareStage,
  at: SpanView,
  view: TraceView,
): boolean {
  const { startUs } = at.span;
  return startUs >= fromUs && startUs < toUs && evaluateField(selection, at, view) === true;
}

function* comparedValues(at: SpanView, view: TraceView): Generator<[name: string, value: Value]> {
  for (const intrinsic of INTRINSICS) {
    const value = intrinsicValue(view, at, intrinsic);
    if (value === undefined || value === '') continue;
    yield [labelOf({ kind: 'intrinsic', intrinsic, ofParent: false }), value];
  }
  const { resource, span } = attributesOf(at.span);
  for (const [name, value] of resource) yield [`resource.${name}`, value];
  for (const [name, value] of span) yield [`span.${name}`, value];
}

function seriesOf(sides: readonly Side[], { valuesMax }: CompareStage, grid: Grid): MetricSeries[] {
  const series: MetricSeries[] = [];
  const crowded = new Set<string>();
  const add = (
    meta: readonly [name: string, value: string],
    attribute: readonly [name: string, value: Value],
    values: Float64Array,
  ): void => void series.push({ labels: [meta, attribute], values, exemplars: [] });
  for (const { name: side, attributes } of sides) {
    for (const [name, { total, byValue, hasMore }] of attributes) {
      if (hasMore || byValue.size > valuesMax) crowded.add(name);
      for (const [value, values] of mostFrequent(byValue, valuesMax)) {
        add([TYPE, side], [name, value], values);
      }
      add([TYPE, `${side}_total`], [name, 'nil'], total);
    }
  }
  const none = new Float64Array(grid.count).fill(Number.NaN);
  for (const name of crowded) add([ERROR_LABEL, TOO_MANY_VALUES], [name, 'nil'], none);
  return series;
}

function mostFrequent(
  byValue: ReadonlyMap<Value, Float64Array>,
  count: number,
): (readonly [value: Value, values: Float64Array])[] {
  return [...byValue]
    .map(([value, values]) => ({ value, values, sum: values.reduce((a, b) => a + b, 0) }))
    .sort((a, b) => b.sum - a.sum)
    .slice(0, count)
    .map(({ value, values }) => [value, values]);
}
