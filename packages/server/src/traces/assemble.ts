import { LINK_SHOWN, OBSERVATION_POINTS } from '@thalweg/model';
import { hangInsideApps } from './inside-app.ts';
import { linkBySpanIds } from './span-ids.ts';

/** What the tree needs of a row. Ids are decimal strings; a wire id of `0` is unknown. */
export interface TreeRow {
  readonly spanId: string;
  readonly wireId: string;
  readonly parentWireId: string;
  readonly linkProbability: number;
  readonly observationPoint: string;
  readonly hostName: string;
  readonly pid: number;
  readonly startUs: number;
  readonly endUs: number;
  /** As in `L7_PROTOCOL`. */
  readonly protocol: number;
  /** The trace id that the row has, '' when none. */
  readonly traceId: string;
  /** The network interface that saw it, and what it belongs to; undefined: a process saw it. */
  readonly interface: { readonly agent: string; readonly name: string } | undefined;
  /** A row of an SDK, not seen on the host: `namedSpanId` is its own. */
  readonly isApp: boolean;
  /** An SDK's own span id; of an exchange the one that it carried: its sender's span. */
  readonly namedSpanId: string;
  /** The span that an SDK named as the parent; '' for exchanges. */
  readonly namedParentId: string;
  /** Request and response were both seen: of two copies the complete one is kept. */
  readonly isComplete: boolean;
}

export interface TreeNode<Row extends TreeRow> {
  readonly row: Row;
  readonly parent: Row | null;
  /**
   * The row whose evidence names the parent; `wire` when both are views of one exchange, `span-id`
   * when the parent is named by its id.
   */
  readonly link:
    | { readonly kind: 'wire' }
    | { readonly kind: 'span-id' }
    | { readonly kind: 'parent'; readonly from: Row }
    | null;
}

export interface Tree<Row extends TreeRow> {
  /** In pre-order: a parent before its children, siblings by start. */
  readonly nodes: readonly TreeNode<Row>[];
  /** Copies of a row that another one stands for. */
  readonly duplicateCount: number;
  /** Links that were not drawn, since they would have closed a circle. */
  readonly cutCount: number;
}

/** The rows of one exchange, from client to server, and the link to what caused it. */
interface Chain<Row extends TreeRow> {
  readonly rows: readonly Row[];
  readonly head: Row;
  readonly linked: Row | undefined;
  parent: Chain<Row> | undefined;
  /** The parent was named by a span id, not found by evidence. */
  isNamed: boolean;
  readonly children: Chain<Row>[];
}

const RANK: ReadonlyMap<string, number> = new Map(
  OBSERVATION_POINTS.map((point, index) => [point, index]),
);
/** An interface that knows neither end is somewhere between the two machines. */
const RANK_BETWEEN = (RANK.get('c-nd') ?? 0) + 0.5;
const rankOf = (row: TreeRow): number =>
  row.interface !== undefined &&
  (row.observationPoint === 'local' || row.observationPoint === 'rest')
    ? RANK_BETWEEN
    : (RANK.get(row.observationPoint) ?? OBSERVATION_POINTS.length);

/**
 * Rows to a tree. Rows of one wire id are one exchange seen from client to server: they form a
 * chain in the order of the observation points, because clocks of two hosts do not compare (what one
 * agent saw at interfaces is in order of time). The
 * chain's head hangs under the server process's row of the exchange that its evidence names, when
 * the link's probability is at least `LINK_SHOWN`. Spans of SDKs, and exchanges that carried their
 * ids, hang where these say (`linkBySpanIds`); exchanges without, inside the SDK's span for them
 * (`hangInsideApps`). Everything else is a root. O(n log n).
 */
export function assembleTree<Row extends TreeRow>(rows: readonly Row[]): Tree<Row> {
  const kept = withoutCopies(rows);
  const { chains, byWire } = chainsOf(kept);
  for (const chain of chains) {
    if (chain.linked === undefined) continue;
    const parent = byWire.get(chain.linked.parentWireId);
    if (parent !== undefined && parent !== chain) chain.parent = parent;
  }
  linkBySpanIds(chains.toSorted((a, b) => byStart(a.head, b.head)));
  hangInsideApps(chains);
  const cutCount = cutCircles(chains);
  for (const chain of chains) chain.parent?.children.push(chain);
  return { nodes: preOrder(chains), duplicateCount: rows.length - kept.length, cutCount };
}

function withoutCopies<Row extends TreeRow>(rows: readonly Row[]): Row[] {
  const kept = new Map<string, Row>();
  for (const row of rows) {
    const key = copyKey(row);
    const other = kept.get(key);
    if (other === undefined || isBetterCopy(row, other)) kept.set(key, row);
  }
  return [...kept.values()];
}

/** An SDK that did not get its answer sends a span again: two rows, one span. */
function copyKey(row: TreeRow): string {
  if (row.wireId !== '0') {
    const { name = '' } = row.interface ?? {};
    return `${row.wireId} ${row.observationPoint} ${row.pid} ${row.hostName} ${name}`;
  }
  if (!row.isApp || row.namedSpanId === '') return `id ${row.spanId}`;
  return `app ${row.traceId} ${row.namedSpanId} ${row.observationPoint}`;
}

function isBetterCopy(row: TreeRow, other: TreeRow): boolean {
  if (row.isComplete !== other.isComplete) return row.isComplete;
  return compareIds(row.spanId, other.spanId) < 0;
}

function chainsOf<Row extends TreeRow>(
  rows: readonly Row[],
): { chains: Chain<Row>[]; byWire: Map<string, Chain<Row>> } {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = row.wireId === '0' ? `id ${row.spanId}` : row.wireId;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  const chains: Chain<Row>[] = [];
  const byWire = new Map<string, Chain<Row>>();
  for (const [key, group] of groups) {
    group.sort((a, b) => rankOf(a) - rankOf(b) || byStart(a, b));
    const rows = withInterfacesByTime(group);
    const [head] = rows;
    if (head === undefined) continue;
    const chain: Chain<Row> = {
      rows,
      head,
      linked: bestLinked(group),
      parent: undefined,
      isNamed: false,
      children: [],
    };
    chains.push(chain);
    byWire.set(key, chain);
  }
  return { chains, byWire };
}

/** The rows with those of each agent's interfaces in order of time, in the places that they have. */
function withInterfacesByTime<Row extends TreeRow>(rows: readonly Row[]): readonly Row[] {
  const places = new Map<string, number[]>();
  rows.forEach((row, place) => {
    if (row.interface === undefined) return;
    places.set(row.interface.agent, [...(places.get(row.interface.agent) ?? []), place]);
  });
  const ordered = [...rows];
  for (const of of places.values()) {
    // Of what passed within one microsecond the places tell the order.
    const sorted = of.flatMap((place) => rows[place] ?? []).sort((a, b) => a.startUs - b.startUs);
    of.forEach((place, at) => {
      const row = sorted[at];
      if (row !== undefined) ordered[place] = row;
    });
  }
  return ordered;
}

/** The client process's row names the parent; where it was not seen, another view may. */
function bestLinked<Row extends TreeRow>(rows: readonly Row[]): Row | undefined {
  let best: Row | undefined;
  for (const row of rows) {
    if (row.parentWireId === '0' || row.linkProbability < LINK_SHOWN) continue;
    if (best === undefined || row.linkProbability > best.linkProbability) best = row;
  }
  return best;
}

/**
 * Evidence that contradicts itself can close a circle. Its weakest link is cut (of equals the one
 * above the earliest exchange), so that each chain ends at a root. Each chain is walked once.
 */
function cutCircles<Row extends TreeRow>(chains: readonly Chain<Row>[]): number {
  let cutCount = 0;
  const settled = new Set<Chain<Row>>();
  for (const start of chains) {
    const path = new Set<Chain<Row>>();
    let at: Chain<Row> | undefined = start;
    while (at !== undefined && !settled.has(at) && !path.has(at)) {
      path.add(at);
      at = at.parent;
    }
    if (at !== undefined && path.has(at)) {
      weakestOfCircle(at).parent = undefined;
      cutCount++;
    }
    for (const chain of path) settled.add(chain);
  }
  return cutCount;
}

function weakestOfCircle<Row extends TreeRow>(entry: Chain<Row>): Chain<Row> {
  const strength = (chain: Chain<Row>): number =>
    chain.isNamed ? 1 : (chain.linked?.linkProbability ?? 0);
  let weakest = entry;
  for (let at = entry.parent; at !== undefined && at !== entry; at = at.parent) {
    const difference = strength(at) - strength(weakest);
    if (difference < 0 || (difference === 0 && byStart(at.head, weakest.head) < 0)) weakest = at;
  }
  return weakest;
}

/** Where the children of an exchange hang: the server process, else the view nearest to it. */
function serverIndex(rows: readonly TreeRow[]): number {
  const index = rows.findLastIndex((row) => row.observationPoint === 's-p');
  return index === -1 ? rows.length - 1 : index;
}

function preOrder<Row extends TreeRow>(chains: readonly Chain<Row>[]): TreeNode<Row>[] {
  const nodes: TreeNode<Row>[] = [];
  const byHead = (a: Chain<Row>, b: Chain<Row>): number => byStart(b.head, a.head);
  const stack = chains.filter((chain) => chain.parent === undefined).sort(byHead);
  for (let chain = stack.pop(); chain !== undefined; chain = stack.pop()) {
    let above: Row | null = null;
    for (const row of chain.rows) {
      nodes.push(above === null ? headNode(chain) : { row, parent: above, link: { kind: 'wire' } });
      above = row;
    }
    stack.push(...chain.children.sort(byHead));
  }
  return nodes;
}

function headNode<Row extends TreeRow>(chain: Chain<Row>): TreeNode<Row> {
  const parentRows = chain.parent?.rows;
  const parent = parentRows?.[serverIndex(parentRows)] ?? null;
  if (parent === null) return { row: chain.head, parent: null, link: null };
  // Without evidence of its own it was put where the exchange below it had hung.
  if (chain.isNamed || chain.linked === undefined) {
    return { row: chain.head, parent, link: { kind: 'span-id' } };
  }
  return { row: chain.head, parent, link: { kind: 'parent', from: chain.linked } };
}

function byStart(a: TreeRow, b: TreeRow): number {
  return a.startUs - b.startUs || compareIds(a.spanId, b.spanId);
}

/** Numeric order of decimal strings without leading zeros. */
function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
