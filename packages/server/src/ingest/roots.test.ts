import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRootTable, type RootTable } from './roots.ts';

const SEED = 20_416;
const OPTIONS = { capacity: 2 ** 10, windowS: 900, rowsMax: 10_000 };
interface Row {
  readonly wire: number;
  readonly parent: number;
  readonly probability: number;
  /** 0: none. */
  readonly trace: number;
}
const row = (wire: number, parent = 0, probability = 1): Row => ({
  wire,
  parent,
  probability,
  trace: 0,
});

/** A batch. */
function observe(table: RootTable, rows: readonly Row[], nowS: number): bigint[] {
  const halves = (value: (row: Row) => number): Uint32Array =>
    Uint32Array.from(rows.flatMap((one) => [value(one), 0]));
  const columns = {
    rows: rows.length,
    wireIds: halves(({ wire }) => wire),
    parentWireIds: halves(({ parent }) => parent),
    probabilities: Float32Array.from(rows, ({ probability }) => probability),
    traceKeys: halves(({ trace }) => trace),
    rowIds: halves(() => 7),
  };
  return [...table.rootsOf(columns, nowS)];
}

/** Rows grouped by root, with all aliases followed. */
function partition(rows: readonly Row[], batchRows = 1): string[] {
  const table = createRootTable(OPTIONS);
  const stored: { wire: number; root: bigint }[] = [];
  for (let at = 0; at < rows.length; at += batchRows) {
    const batch = rows.slice(at, at + batchRows);
    const roots = observe(table, batch, 100);
    stored.push(...batch.map(({ wire }, index) => ({ wire, root: roots[index] ?? 0n })));
  }
  const aliases = new Map(table.takeAliases().map((alias) => [alias.old, alias.new]));
  const groups = new Map<bigint, Set<number>>();
  for (const { wire, root } of stored) {
    let end = root;
    for (let next = aliases.get(end); next !== undefined; next = aliases.get(end)) end = next;
    groups.set(end, (groups.get(end) ?? new Set()).add(wire));
  }
  return [...groups.values()].map((wires) => [...wires].sort().join(' ')).sort();
}

const tree = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 40 })), {
  maxLength: 60,
});

test('neither the order of arrival nor its batches change which rows are one trace', () => {
  const orders = tree.chain((edges) =>
    fc.tuple(fc.constant(edges), fc.shuffledSubarray(edges, { minLength: edges.length })),
  );
  fc.assert(
    fc.property(orders, fc.integer({ min: 1, max: 9 }), ([one, other], batchRows) => {
      const rows = one.map(([wire, parent]) => row(wire, parent));
      const again = other.map(([wire, parent]) => row(wire, parent));
      expect(partition(again, batchRows)).toEqual(partition(rows));
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('rows of one batch share a root without an alias, whatever their order', () => {
  const table = createRootTable(OPTIONS);
  expect(observe(table, [row(3, 2), row(2, 1), row(1)], 100)).toEqual([1n, 1n, 1n]);
  expect(table.takeAliases()).toEqual([]);
  observe(table, [row(1, 9)], 100);
  expect(table.takeAliases()).toEqual([{ old: 1n, new: 9n }]);
});

test('a doubtful link does not join traces; a trace id does', () => {
  const traced = (wire: number): Row => ({ ...row(wire), trace: 99 });
  expect(partition([row(1), row(2, 1, 0.89)])).toEqual(['1', '2']);
  expect(partition([traced(1), traced(2), row(3)])).toEqual(['1 2', '3']);
  expect(partition([traced(0), traced(0), traced(4), row(0)], 4)).toEqual(['0', '0 4']);
});

test('a trace stops growing at its cap, counted', () => {
  const table = createRootTable({ ...OPTIONS, rowsMax: 3 });
  for (let wire = 1; wire <= 5; wire++) observe(table, [row(wire, wire - 1)], 100);
  // The fourth is cut off; the fifth joins the fourth.
  expect(table.counters().cut).toBe(1);
});

test('memory is bounded: old entries go, all else is kept', () => {
  const table = createRootTable({ ...OPTIONS, capacity: 64 });
  for (let wire = 1; wire < 1_000; wire++) observe(table, [row(wire)], wire);
  expect(table.counters().entries).toBeLessThanOrEqual(64 * 0.6);
  expect(observe(table, [row(1_000, 999)], 1_000)).toEqual([999n]);
});
