import { calculate, compare, evaluateField } from './field.ts';
import { labelOf } from './names.ts';
import type { Field, Relation, Scalar, Spansets, Stage, TraceqlQuery, Value } from './syntax.ts';
import type { SpanView, TraceView } from './trace-view.ts';

/** Spans of one trace that belong together, and what was computed of them. */
export interface Spanset {
  readonly spans: readonly SpanView[];
  /** From `by()` and from aggregates, in the order in which they were written. */
  readonly attributes: ReadonlyMap<string, Value>;
  /** Fields that `select()` adds to each span. */
  readonly selected: readonly { readonly field: Field; readonly label: string }[];
}

/** The spansets of a trace that a query finds; none: the trace does not match. */
export function evaluateTraceql(query: TraceqlQuery, view: TraceView): readonly Spanset[] {
  const all: Spanset = { spans: view.spans, attributes: new Map(), selected: [] };
  return runStages(query.stages, [all], view);
}

function runStages(
  stages: readonly Stage[],
  input: readonly Spanset[],
  view: TraceView,
): readonly Spanset[] {
  let sets = input;
  for (const stage of stages) sets = runStage(stage, sets, view);
  return sets;
}

function runStage(stage: Stage, sets: readonly Spanset[], view: TraceView): readonly Spanset[] {
  switch (stage.kind) {
    case 'spansets':
      return sets.flatMap((set) => {
        const spans = matchSpans(stage.spansets, set.spans, view);
        return spans.length === 0 ? [] : [{ ...set, spans }];
      });
    case 'scalar':
      return sets.flatMap((set) => filterByScalar(stage, set, view));
    case 'by':
      return sets.flatMap((set) => groupBy(stage.field, stage.label, set, view));
    case 'select':
      return sets.map((set) => ({ ...set, selected: [...set.selected, ...stage.fields] }));
    case 'coalesce': {
      if (sets.length === 0) return [];
      const found = new Set(sets.flatMap(({ spans }) => spans));
      const selected = sets.flatMap((set) => set.selected);
      return [{ spans: inOrder(found, view), attributes: new Map(), selected }];
    }
  }
}

/** Those of `spans` that the expression picks, in trace order. */
function matchSpans(
  expression: Spansets,
  spans: readonly SpanView[],
  view: TraceView,
): readonly SpanView[] {
  switch (expression.kind) {
    case 'filter':
      return spans.filter((span) => evaluateField(expression.field, span, view) === true);
    case 'pipeline': {
      const set: Spanset = { spans, attributes: new Map(), selected: [] };
      return inOrder(
        new Set(runStages(expression.stages, [set], view).flatMap((one) => one.spans)),
        view,
      );
    }
    case 'combine': {
      const left = matchSpans(expression.left, spans, view);
      const right = matchSpans(expression.right, spans, view);
      if (expression.operator === '&&' && (left.length === 0 || right.length === 0)) return [];
      return inOrder(new Set([...left, ...right]), view);
    }
    case 'relate': {
      const left = matchSpans(expression.left, spans, view);
      const right = matchSpans(expression.right, spans, view);
      return relate(expression.relation, expression.how, left, right, view);
    }
  }
}

function relate(
  relation: Relation,
  how: 'plain' | 'not' | 'union',
  left: readonly SpanView[],
  right: readonly SpanView[],
  view: TraceView,
): readonly SpanView[] {
  const partnersOf = partners(relation, left, view);
  if (how === 'not') return right.filter((span) => partnersOf(span).length === 0);
  const found = new Set<SpanView>();
  for (const span of right) {
    const others = partnersOf(span);
    if (others.length === 0) continue;
    found.add(span);
    if (how === 'union') for (const other of others) found.add(other);
  }
  return inOrder(found, view);
}

/** Of a right-hand span, the left-hand spans that stand in the relation to it. */
function partners(
  relation: Relation,
  left: readonly SpanView[],
  { spans }: TraceView,
): (span: SpanView) => readonly SpanView[] {
  const isLeft = new Set(left);
  const above = (span: SpanView): SpanView | undefined => spans[span.parent];
  switch (relation) {
    case '>': // A > B: B is a child of A.
      return (span) =>
        [above(span)].filter((one): one is SpanView => one !== undefined && isLeft.has(one));
    case '>>':
      return (span) => {
        const found: SpanView[] = [];
        for (let at = above(span); at !== undefined; at = above(at))
          if (isLeft.has(at)) found.push(at);
        return found;
      };
    case '<': {
      const byParent = groupedBy(left, ({ parent }) => parent);
      return (span) => byParent.get(span.index) ?? [];
    }
    case '<<':
      return (span) => {
        const start = firstAbove(left, span.index);
        const found: SpanView[] = [];
        for (let at = start; at < left.length; at += 1) {
          const one = left[at];
          if (one === undefined || one.index >= span.end) break;
          found.push(one);
        }
        return found;
      };
    case '~': {
      const byParent = groupedBy(left, ({ parent }) => parent);
      return (span) =>
        span.parent < 0 ? [] : (byParent.get(span.parent) ?? []).filter((one) => one !== span);
    }
  }
}

/** Index in `sorted` of the first span behind `index` in trace order. */
function firstAbove(sorted: readonly SpanView[], index: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle]?.index ?? 0) <= index) low = middle + 1;
    else high = middle;
  }
  return low;
}

function inOrder(found: ReadonlySet<SpanView>, { spans }: TraceView): readonly SpanView[] {
  if (found.size === spans.length) return spans;
  return [...found].sort((a, b) => a.index - b.index);
}

function groupBy(field: Field, label: string, set: Spanset, view: TraceView): readonly Spanset[] {
  const groups = groupedBy(set.spans, (span) => evaluateField(field, span, view));
  return [...groups].map(([value, spans]) => ({
    ...set,
    spans,
    attributes: new Map([...set.attributes, [`by(${label})`, value]]),
  }));
}

function filterByScalar(
  { left, right, operator }: Extract<Stage, { kind: 'scalar' }>,
  set: Spanset,
  view: TraceView,
): readonly Spanset[] {
  const seen = new Map<string, Value>();
  const a = scalarOf(left, set, view, seen);
  const b = scalarOf(right, set, view, seen);
  if (a === undefined || b === undefined || !compare(operator, a, b)) return [];
  return [{ ...set, attributes: new Map([...set.attributes, ...seen]) }];
}

/** Undefined when no span of the set has the field. */
function scalarOf(
  scalar: Scalar,
  set: Spanset,
  view: TraceView,
  seen: Map<string, Value>,
): number | undefined {
  switch (scalar.kind) {
    case 'number':
      return scalar.value;
    case 'aggregate': {
      const value = aggregate(scalar.name, scalar.field, set, view);
      const label = scalar.field === undefined ? '' : labelOf(scalar.field);
      if (value !== undefined) seen.set(`${scalar.name}(${label})`, value);
      return value;
    }
    case 'arithmetic': {
      const left = scalarOf(scalar.left, set, view, seen);
      const right = scalarOf(scalar.right, set, view, seen);
      return left === undefined || right === undefined
        ? undefined
        : calculate(scalar.operator, left, right);
    }
  }
}

function aggregate(
  name: string,
  field: Field | undefined,
  { spans }: Spanset,
  view: TraceView,
): number | undefined {
  if (field === undefined) return spans.length;
  const values = spans.flatMap((span) => {
    const value = Number(evaluateField(field, span, view) ?? Number.NaN);
    return Number.isNaN(value) ? [] : [value];
  });
  if (values.length === 0) return undefined;
  const sum = values.reduce((total, value) => total + value, 0);
  switch (name) {
    case 'sum':
      return sum;
    case 'avg':
      return sum / values.length;
    case 'min':
      return values.reduce((least, value) => Math.min(least, value), Infinity);
    default:
      return values.reduce((most, value) => Math.max(most, value), -Infinity);
  }
}

function groupedBy<Item, Key>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
