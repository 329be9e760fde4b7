import { LINK_SOLID } from '@thalweg/model';

// Which trace a row belongs to, known as far as the rows seen in the last minutes tell: union-find
// over wire ids, in open-addressing typed arrays of 28 bytes an entry.

export interface RootRow {
  /** 0 when unknown: then only the trace id joins it to others, else it stands alone under `rowId`. */
  readonly wireId: bigint;
  readonly parentWireId: bigint;
  readonly probability: number;
  /** W3C trace id in hex, what a sender had in its place, or ''. */
  readonly traceId: string;
  readonly rowId: bigint;
}

export interface RootAlias {
  readonly old: bigint;
  readonly new: bigint;
}

export interface RootTable {
  /** Joins what the row proves to be one; a root under which rows are stored leaves an alias. */
  join(row: RootRow, nowS: number): void;
  /** The root under which the row is going to be stored; to be asked when its batch is joined. */
  rootOf(row: RootRow, nowS: number): bigint;
  /** Takes up what an earlier run stored: `member` is in the trace of `root`. Leaves no alias. */
  restore(member: bigint, root: bigint, nowS: number): void;
  /** Aliases since the last call, in order. */
  takeAliases(): RootAlias[];
  counters(): { readonly entries: number; readonly cut: number; readonly evicted: number };
}

export interface RootTableOptions {
  /** Entries; a power of two. */
  readonly capacity: number;
  readonly windowS: number;
  /** One wrong link in a hundred would else join everything in the end. */
  readonly rowsMax: number;
}

export const ROOT_DEFAULTS: RootTableOptions = { capacity: 2 ** 20, windowS: 900, rowsMax: 10_000 };

/** Fuller than this, open addressing gets slow. */
const FILL_MAX = 0.6;

interface Entries {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  /** Index of the parent entry; its own index at a root. */
  readonly parent: Uint32Array;
  /** Rows of the trace; counted at its root. */
  readonly rows: Uint32Array;
  /** 1 at a root under which rows are stored, or to which an alias leads. */
  readonly stored: Uint32Array;
  /** Seconds of the last row; 0 is an empty place. A root is never older than its members. */
  readonly seenS: Uint32Array;
}

export function createRootTable(options: RootTableOptions = ROOT_DEFAULTS): RootTable {
  const { capacity, windowS, rowsMax } = options;
  let entries = emptyEntries(capacity);
  let count = 0;
  let cut = 0;
  let evicted = 0;
  let aliases: RootAlias[] = [];

  const keyAt = (index: number): bigint =>
    (BigInt(entries.high[index] ?? 0) << 32n) | BigInt(entries.low[index] ?? 0);

  /** The entry of a key, made when there is none. */
  function place(key: bigint, nowS: number): number {
    const low = Number(key & 0xffffffffn);
    const high = Number(key >> 32n);
    const index = slotOf(entries, low, high);
    if (entries.seenS[index] === 0) {
      entries.low[index] = low;
      entries.high[index] = high;
      entries.parent[index] = index;
      entries.rows[index] = 0;
      entries.stored[index] = 0;
      count += 1;
    }
    entries.seenS[index] = Math.max(1, nowS);
    return index;
  }

  function find(start: number, nowS: number): number {
    const root = rootOf(entries, start);
    entries.seenS[root] = Math.max(1, nowS);
    return root;
  }

  /** Puts the trace of `child` under the trace of `parent`. */
  function unite(child: number, parent: number, nowS: number): void {
    const below = find(child, nowS);
    const above = find(parent, nowS);
    if (below === above) return;
    const rows = (entries.rows[below] ?? 0) + (entries.rows[above] ?? 0);
    if (rows > rowsMax) {
      cut += 1;
      return;
    }
    entries.parent[below] = above;
    entries.rows[above] = rows;
    if (entries.stored[below] === 0) return;
    aliases.push({ old: keyAt(below), new: keyAt(above) });
    entries.stored[above] = 1;
  }

  /** Forgets what is older than the window; when that is not enough, the older half. */
  function makeRoom(nowS: number): void {
    if (count + 3 <= capacity * FILL_MAX) return;
    let oldestS = nowS - windowS;
    entries = rebuilt(entries, oldestS);
    count = filled(entries);
    for (let step = windowS / 2; count > (capacity * FILL_MAX) / 2 && step >= 1; step /= 2) {
      oldestS += step;
      const before = count;
      entries = rebuilt(entries, oldestS);
      count = filled(entries);
      evicted += before - count;
    }
    if (count + 3 <= capacity * FILL_MAX) return;
    // All within one second: nothing is older than the rest.
    evicted += count;
    entries = emptyEntries(capacity);
    count = 0;
  }

  return {
    join: (row, nowS) => {
      const key = keyOf(row);
      if (key === 0n) return;
      makeRoom(nowS);
      const index = place(key, nowS);
      const root = find(index, nowS);
      entries.rows[root] = (entries.rows[root] ?? 0) + 1;
      if (row.wireId === 0n) return;
      if (row.parentWireId !== 0n && row.probability >= LINK_SOLID) {
        unite(index, place(row.parentWireId, nowS), nowS);
      }
      const trace = traceKey(row.traceId);
      if (trace !== 0n) unite(index, place(trace, nowS), nowS);
    },
    rootOf: (row, nowS) => {
      const key = keyOf(row);
      if (key === 0n) return row.rowId;
      makeRoom(nowS);
      const root = find(place(key, nowS), nowS);
      entries.stored[root] = 1;
      return keyAt(root);
    },
    restore: (member, root, nowS) => {
      makeRoom(nowS);
      const above = place(root, nowS);
      unite(place(member, nowS), above, nowS);
      entries.stored[find(above, nowS)] = 1;
    },
    takeAliases: () => {
      const taken = aliases;
      aliases = [];
      return taken;
    },
    counters: () => ({ entries: count, cut, evicted }),
  };
}

/** What a row is known by: its wire id; not seen on the wire, as an SDK's span, its trace id. */
function keyOf({ wireId, traceId }: RootRow): bigint {
  return wireId === 0n ? traceKey(traceId) : wireId;
}

/**
 * A node of its own for a trace id, away from the wire ids. 0 for none. Of a W3C id it is the low
 * half; others (a UUID, what a gateway makes of X-Request-ID) are hashed.
 */
function traceKey(traceId: string): bigint {
  if (traceId === '') return 0n;
  if (!/^[0-9a-f]{16,32}$/i.test(traceId)) return hashed(traceId);
  return BigInt(`0x${traceId.slice(-16)}`) ^ 0x9e3779b97f4a7c15n;
}

/** FNV-1a, 64 bits. */
function hashed(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    hash = ((hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return hash;
}

function emptyEntries(capacity: number): Entries {
  const column = (): Uint32Array => new Uint32Array(capacity);
  return {
    low: column(),
    high: column(),
    parent: column(),
    rows: column(),
    stored: column(),
    seenS: column(),
  };
}

/** The place of a key, or the empty place where it belongs. */
function slotOf(entries: Entries, low: number, high: number): number {
  const mask = entries.low.length - 1;
  let index = (Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0xc2b2ae35) >>> 8) & mask;
  while (
    entries.seenS[index] !== 0 &&
    (entries.low[index] !== low || entries.high[index] !== high)
  ) {
    index = (index + 1) & mask;
  }
  return index;
}

/** Halves the path on its way. */
function rootOf({ parent }: Entries, start: number): number {
  let index = start;
  for (let up = parent[index] ?? index; up !== index; up = parent[index] ?? index) {
    parent[index] = parent[up] ?? up;
    index = up;
  }
  return index;
}

/** A copy with the entries seen since `oldestS`, each directly under its root. */
function rebuilt(old: Entries, oldestS: number): Entries {
  const entries = emptyEntries(old.low.length);
  const put = (from: number): number => {
    const to = slotOf(entries, old.low[from] ?? 0, old.high[from] ?? 0);
    if (entries.seenS[to] !== 0) return to;
    for (const column of ['low', 'high', 'rows', 'stored', 'seenS'] as const) {
      entries[column][to] = old[column][from] ?? 0;
    }
    entries.parent[to] = to;
    return to;
  };
  for (let from = 0; from < old.low.length; from++) {
    if ((old.seenS[from] ?? 0) <= Math.max(0, oldestS)) continue;
    const root = put(rootOf(old, from));
    entries.parent[put(from)] = root;
  }
  return entries;
}

function filled({ seenS }: Entries): number {
  let count = 0;
  for (const seen of seenS) if (seen !== 0) count += 1;
  return count;
}
