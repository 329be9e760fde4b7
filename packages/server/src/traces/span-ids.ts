import type { TreeRow } from './assemble.ts';

/** What linking by span ids needs of a chain: the rows of one exchange, or one row of an SDK. */
export interface NamedChain<Row extends TreeRow> {
  readonly rows: readonly Row[];
  readonly head: Row;
  parent: NamedChain<Row> | undefined;
  /** The parent was named by a span id, not found by evidence. */
  isNamed: boolean;
}

/**
 * Links by the ids that SDKs made (A spans) and that traffic carried (exchanges seen on the host):
 *
 * - an A span of an answering service hangs under the exchange that carried its parent's id;
 * - any other A span hangs under the A span that it names;
 * - an exchange that carried an A span's id hangs under that span, and what the evidence had found as
 *   its parent becomes the parent of the topmost A span above it, unless that has one.
 *
 * An exchange whose evidence leads to another that carried the same id was only passed on: it stays.
 * `chains` come by start: of two claims to one place the earlier is heard.
 */
export function linkBySpanIds<Row extends TreeRow, Chain extends NamedChain<Row>>(
  chains: readonly Chain[],
): void {
  const ids: AppIds<Chain> = { all: [], byId: new Map(), askingById: new Map() };
  const carriers = new Map<string, Chain[]>();
  for (const chain of chains) {
    const { head } = chain;
    if (head.isApp) {
      if (head.namedSpanId !== '') addApp(ids, keyOf(head, head.namedSpanId), chain);
      continue;
    }
    const carrier = chain.rows.find(({ namedSpanId }) => namedSpanId !== '');
    if (carrier === undefined) continue;
    const key = keyOf(carrier, carrier.namedSpanId);
    const others = carriers.get(key);
    if (others === undefined) carriers.set(key, [chain]);
    else others.push(chain);
  }
  if (ids.all.length === 0) return;
  for (const chain of ids.all) nameParentOfApp(chain, ids, carriers);
  for (const [key, group] of carriers) {
    const app = ids.askingById.get(key) ?? ids.byId.get(key);
    if (app !== undefined) for (const chain of group) hangUnderApp(chain, app, group);
  }
}

/** A spans by their ids. Two ends that share one id (Zipkin's shared spans) are two chains. */
interface AppIds<Chain> {
  readonly all: Chain[];
  /** What a child's parent id means: of a shared id the answering end. */
  readonly byId: Map<string, Chain>;
  /** The asking ends. */
  readonly askingById: Map<string, Chain>;
}

function addApp<Row extends TreeRow, Chain extends NamedChain<Row>>(
  { all, byId, askingById }: AppIds<Chain>,
  key: string,
  chain: Chain,
): void {
  const { observationPoint } = chain.head;
  all.push(chain);
  if (observationPoint === 'c-app') askingById.set(key, chain);
  if (observationPoint !== 'c-app' || !byId.has(key)) byId.set(key, chain);
}

function nameParentOfApp<Row extends TreeRow, Chain extends NamedChain<Row>>(
  chain: Chain,
  { byId, askingById }: AppIds<Chain>,
  carriers: ReadonlyMap<string, readonly Chain[]>,
): void {
  const { head } = chain;
  const isAnswering = head.observationPoint === 's-app';
  const own = keyOf(head, head.namedSpanId);
  const asking = isAnswering ? askingById.get(own) : undefined;
  if (asking === undefined && head.namedParentId === '') return;
  // Of a shared span the asking end is the parent, whatever id both name as theirs.
  const key = asking === undefined ? keyOf(head, head.namedParentId) : own;
  const answered = isAnswering ? innermost(carriers.get(key), head) : undefined;
  const parent = answered ?? asking ?? byId.get(key);
  if (parent === undefined || parent === chain) return;
  chain.parent = parent;
  chain.isNamed = true;
}

/** Of exchanges that carried one id, the one that reached this span's host; else the last to start. */
function innermost<Row extends TreeRow, Chain extends NamedChain<Row>>(
  group: readonly Chain[] | undefined,
  { hostName, startUs }: Row,
): Chain | undefined {
  if (group === undefined) return undefined;
  const near = group.filter(({ rows }) =>
    rows.some((row) => row.observationPoint === 's-p' && row.hostName === hostName),
  );
  let best: Chain | undefined;
  for (const chain of near.length > 0 ? near : group) {
    const isBefore = chain.head.startUs <= startUs;
    const isLater = best === undefined || chain.head.startUs > best.head.startUs;
    if (isBefore && isLater) best = chain;
  }
  return best ?? near[0] ?? group[0];
}

function hangUnderApp<Row extends TreeRow, Chain extends NamedChain<Row>>(
  chain: Chain,
  app: Chain,
  group: readonly Chain[],
): void {
  const found = chain.parent;
  // Passed on by a hop without an SDK: the evidence knows better than the id.
  if (found !== undefined && group.some((other) => other === found)) return;
  let top: NamedChain<Row> = app;
  const passed = new Set<NamedChain<Row>>([chain]);
  while (top.parent !== undefined && !passed.has(top)) {
    passed.add(top);
    top = top.parent;
  }
  // An id that names its own descendant: nothing to be learnt from it.
  if (passed.has(top)) return;
  chain.parent = app;
  chain.isNamed = true;
  if (found !== undefined && found !== top && top.head.isApp && !isUnder(found, top)) {
    top.parent = found;
    top.isNamed = false;
  }
}

function isUnder<Row extends TreeRow>(start: NamedChain<Row>, above: NamedChain<Row>): boolean {
  const passed = new Set<NamedChain<Row>>();
  let at: NamedChain<Row> | undefined = start;
  while (at !== undefined && !passed.has(at)) {
    if (at === above) return true;
    passed.add(at);
    at = at.parent;
  }
  return false;
}

function keyOf(row: TreeRow, spanId: string): string {
  return `${row.traceId} ${spanId}`;
}
