import { LINK_SOLID, type Span } from '@thalweg/model';

/** Spans of a trace in tree order with what drawing needs of each, by index. */
export interface TraceTree {
  readonly spans: readonly Span[];
  readonly startUs: number;
  readonly endUs: number;
  readonly indexOf: ReadonlyMap<string, number>;
  /** −1 for a root. */
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  /** One past the last span below this one: `[i, end[i])` is the subtree. */
  readonly end: Int32Array;
  readonly childCount: Int32Array;
  /** 1 for the last child of its parent: its line goes no further down. */
  readonly isLast: Uint8Array;
  /** Errors in the subtree, the span's own included. */
  readonly errors: Int32Array;
  /** Time in which no child ran, in µs. */
  readonly selfUs: Float64Array;
}

/** What network spans count as among the services: the time on the wire. */
export const NETWORK = 'network';

function childLists(spans: readonly Span[]): { roots: number[]; children: number[][] } {
  const indexOf = new Map(spans.map((span, index) => [span.spanId, index]));
  const children: number[][] = spans.map(() => []);
  const roots: number[] = [];
  spans.forEach((span, index) => {
    const parent = span.parentId === null ? undefined : indexOf.get(span.parentId);
    if (parent === undefined || parent === index) roots.push(index);
    else children[parent]?.push(index);
  });
  const byStart = (a: number, b: number): number =>
    (spans[a]?.startUs ?? 0) - (spans[b]?.startUs ?? 0) || a - b;
  roots.sort(byStart);
  for (const list of children) list.sort(byStart);
  return { roots, children };
}

/** Depth first without recursion: a trace may be thousands deep. Spans in a circle come last. */
function preOrder(spans: readonly Span[]): { order: number[]; parentOf: Int32Array } {
  const { roots, children } = childLists(spans);
  const parentOf = new Int32Array(spans.length).fill(-1);
  const isPlaced = new Uint8Array(spans.length);
  const order: number[] = [];
  const visit = (root: number): void => {
    const stack = [root];
    isPlaced[root] = 1;
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      order.push(at);
      const below = children[at] ?? [];
      for (let i = below.length - 1; i >= 0; i--) {
        const child = below[i] ?? 0;
        if (isPlaced[child] === 1) continue;
        isPlaced[child] = 1;
        parentOf[child] = at;
        stack.push(child);
      }
    }
  };
  for (const root of roots) visit(root);
  for (let i = 0; i < spans.length; i++) if (isPlaced[i] === 0) visit(i);
  return { order, parentOf };
}

/** A span whose parent is not among them is a root. Siblings stand by their start. O(n log n). */
export function buildTree(source: readonly Span[]): TraceTree {
  const { order, parentOf } = preOrder(source);
  const spans = order.flatMap((index) => {
    const span = source[index];
    if (span === undefined) return [];
    return span.signal === 'N' ? [{ ...span, service: NETWORK }] : [span];
  });
  const count = spans.length;
  const place = new Int32Array(count);
  order.forEach((index, at) => {
    place[index] = at;
  });
  const tree = {
    parent: new Int32Array(count).fill(-1),
    depth: new Int32Array(count),
    end: new Int32Array(count),
    childCount: new Int32Array(count),
    isLast: new Uint8Array(count).fill(1),
    errors: new Int32Array(count),
  };
  const lastChild = new Int32Array(count).fill(-1);
  order.forEach((index, at) => {
    const above = parentOf[index] ?? -1;
    if (above < 0) return;
    const parent = place[above] ?? 0;
    tree.parent[at] = parent;
    tree.depth[at] = (tree.depth[parent] ?? 0) + 1;
    tree.childCount[parent] = (tree.childCount[parent] ?? 0) + 1;
    const before = lastChild[parent] ?? -1;
    if (before >= 0) tree.isLast[before] = 0;
    lastChild[parent] = at;
  });
  for (let at = count - 1; at >= 0; at--) {
    tree.end[at] = Math.max(tree.end[at] ?? 0, at + 1);
    tree.errors[at] = (tree.errors[at] ?? 0) + (spans[at]?.isError ? 1 : 0);
    const parent = tree.parent[at] ?? -1;
    if (parent < 0) continue;
    tree.end[parent] = Math.max(tree.end[parent] ?? 0, tree.end[at] ?? 0);
    tree.errors[parent] = (tree.errors[parent] ?? 0) + (tree.errors[at] ?? 0);
  }
  return {
    ...tree,
    spans,
    startUs: spans.reduce((least, span) => Math.min(least, span.startUs), Number.POSITIVE_INFINITY),
    endUs: spans.reduce((most, span) => Math.max(most, span.endUs), 0),
    indexOf: new Map(spans.map((span, index) => [span.spanId, index])),
    selfUs: selfTimes(spans, tree.parent),
  };
}

/** Duration less the union of the children's times. Children come sorted by their start. */
function selfTimes(spans: readonly Span[], parent: Int32Array): Float64Array {
  const self = Float64Array.from(spans, (span) => span.endUs - span.startUs);
  const coveredTo = Float64Array.from(spans, (span) => span.startUs);
  spans.forEach((span, index) => {
    const above = parent[index] ?? -1;
    const parentSpan = spans[above];
    if (parentSpan === undefined) return;
    const from = Math.max(span.startUs, coveredTo[above] ?? 0);
    const to = Math.min(span.endUs, parentSpan.endUs);
    if (to <= from) return;
    self[above] = (self[above] ?? 0) - (to - from);
    coveredTo[above] = to;
  });
  return self;
}

/** A link below this certainty is drawn dashed. */
export function isSure(span: Span): boolean {
  return span.link === null || span.link.probability >= LINK_SOLID;
}

/** Indexes of the rows to draw: what lies under a collapsed span, or is not kept, is left out. */
export function visibleRows(
  tree: TraceTree,
  isCollapsed: (index: number) => boolean,
  isKept?: (index: number) => boolean,
): Int32Array {
  const rows = new Int32Array(tree.spans.length);
  let count = 0;
  for (let index = 0; index < tree.spans.length; ) {
    if (isKept === undefined || isKept(index)) rows[count++] = index;
    const isLeaf = (tree.childCount[index] ?? 0) === 0;
    index = !isLeaf && isCollapsed(index) ? (tree.end[index] ?? index + 1) : index + 1;
  }
  return rows.slice(0, count);
}

export interface ServiceTotal {
  readonly service: string;
  readonly spans: number;
  readonly errors: number;
  readonly selfUs: number;
}

/** What each service did in the trace, the largest self time first. */
export function serviceTotals(tree: TraceTree): readonly ServiceTotal[] {
  const totals = new Map<string, { spans: number; errors: number; selfUs: number }>();
  tree.spans.forEach((span, index) => {
    const total = totals.get(span.service) ?? { spans: 0, errors: 0, selfUs: 0 };
    total.spans += 1;
    total.errors += span.isError ? 1 : 0;
    total.selfUs += tree.selfUs[index] ?? 0;
    totals.set(span.service, total);
  });
  return [...totals]
    .map(([service, total]) => ({ service, ...total }))
    .sort((a, b) => b.selfUs - a.selfUs || (a.service < b.service ? -1 : 1));
}

/** What find looks into, by span: all that is shown and all fields, in lower case. */
export function searchTexts(tree: TraceTree): readonly string[] {
  return tree.spans.map((span) => {
    const { service, processName, method, host, path, endpoint, status, observationPoint } = span;
    const own = [service, processName, method, host, path, endpoint, status, observationPoint];
    const rest = [span.spanId, span.wireId, span.hostName, ...Object.values(span.fields)];
    return [...own, ...rest].join('\n').toLowerCase();
  });
}

/** Indexes of the texts that hold `text`, in tree order. An empty text finds nothing. */
export function findSpans(texts: readonly string[], text: string): readonly number[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  return texts.flatMap((own, index) => (own.includes(wanted) ? [index] : []));
}
