import { LINK_SOLID } from '@thalweg/model';

// Which trace a row belongs to, known as far as the rows seen in the last minutes tell: union-find
// over wire ids, in open-addressing typed arrays of 28 bytes an entry.

/** Rows of a batch as columns. An id is two halves, the low one first. */
export interface RootRows {
  readonly rows: number;
  /** 0 when unknown: then only the trace joins the row to others, else it stands alone under `_id`. */
  readonly wireIds: Uint32Array;
  readonly parentWireIds: Uint32Array;
  /** Of the link to the parent. */
  readonly probabilities: Float32Array;
  /** What `traceKeysOf` makes of the trace ids; 0 for none. */
  readonly traceKeys: Uint32Array;
  readonly rowIds: Uint32Array;
}

export interface RootAlias {
  readonly old: bigint;
  readonly new: bigint;
}

export interface RootTable {
  /**
   * Joins what the rows prove to be one, then answers the roots under which they are to be stored:
   * inside a batch no alias is needed. A root under which rows are stored already leaves an alias.
   */
  rootsOf(rows: RootRows, nowS: number): BigUint64Array<ArrayBuffer>;
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
  function place(low: number, high: number, nowS: number): number {
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

  /** True when the pair of halves at `row` is the same as that of the row before. */
  const repeats = (halves: Uint32Array, row: number): boolean =>
    row > 0 &&
    halves[2 * row] === halves[2 * row - 2] &&
    halves[2 * row + 1] === halves[2 * row - 1];

  function join(rows: RootRows, nowS: number): void {
    const { wireIds, parentWireIds, traceKeys } = rows;
    let root = -1;
    for (let row = 0; row < rows.rows; row += 1) {
      const isWired = isSet(wireIds, row);
      const keys = isWired ? wireIds : traceKeys;
      if (!isSet(keys, row)) {
        root = -1;
        continue;
      }
      // Spans of one trace often come one behind the other: nothing has moved since.
      if (isWired || root < 0 || !repeats(traceKeys, row)) {
        makeRoom(nowS);
        const index = place(keys[2 * row] ?? 0, keys[2 * row + 1] ?? 0, nowS);
        root = find(index, nowS);
        entries.rows[root] = (entries.rows[root] ?? 0) + 1;
        if (!isWired) continue;
        // 0.9 as a 32-bit float is a little less than 0.9.
        if (isSet(parentWireIds, row) && (rows.probabilities[row] ?? 0) + 1e-6 >= LINK_SOLID) {
          unite(index, placeAt(parentWireIds, row, nowS), nowS);
        }
        if (isSet(traceKeys, row)) unite(index, placeAt(traceKeys, row, nowS), nowS);
        root = -1;
      } else entries.rows[root] = (entries.rows[root] ?? 0) + 1;
    }
  }

  function placeAt(halves: Uint32Array, row: number, nowS: number): number {
    return place(halves[2 * row] ?? 0, halves[2 * row + 1] ?? 0, nowS);
  }

  function rootsOf(rows: RootRows, nowS: number): BigUint64Array<ArrayBuffer> {
    join(rows, nowS);
    const roots = new BigUint64Array(rows.rows);
    const halves = new Uint32Array(roots.buffer);
    for (let row = 0; row < rows.rows; row += 1) {
      const keys = isSet(rows.wireIds, row) ? rows.wireIds : rows.traceKeys;
      let low = rows.rowIds[2 * row] ?? 0;
      let high = rows.rowIds[2 * row + 1] ?? 0;
      if (isSet(keys, row)) {
        makeRoom(nowS);
        const root = find(placeAt(keys, row, nowS), nowS);
        entries.stored[root] = 1;
        low = entries.low[root] ?? 0;
        high = entries.high[root] ?? 0;
      }
      halves[2 * row] = low;
      halves[2 * row + 1] = high;
    }
    return roots;
  }

  return {
    rootsOf,
    restore: (member, root, nowS) => {
      makeRoom(nowS);
      const above = place(...halvesOf(root), nowS);
      unite(place(...halvesOf(member), nowS), above, nowS);
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

const isSet = (halves: Uint32Array, row: number): boolean =>
  halves[2 * row] !== 0 || halves[2 * row + 1] !== 0;

const halvesOf = (key: bigint): [low: number, high: number] => [
  Number(key & 0xffffffffn),
  Number(key >> 32n),
];

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
