import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRootTable, type RootRow, type RootTable } from './roots.ts';

const SEED = 20_416;
const OPTIONS = { capacity: 2 ** 10, windowS: 900, rowsMax: 10_000 };
const row = (wireId: number, parent = 0, probability = 1): RootRow => ({
  wireId: BigInt(wireId),
  parentWireId: BigInt(parent),
  probability,
  traceId: '',
  rowId: 7n,
});

/** A batch of one row. */
function observe(table: RootTable, row: RootRow, nowS: number): bigint {
  table.join(row, nowS);
  return table.rootOf(row, nowS);
}

/** Rows grouped by root, with all aliases followed. */
function partition(rows: readonly RootRow[]): string[] {
  const table = createRootTable(OPTIONS);
  const stored = rows.map((one) => ({ wire: one.wireId, root: observe(table, one, 100) }));
  const aliases = new Map(table.takeAliases().map((alias) => [alias.old, alias.new]));
  const groups = new Map<bigint, Set<bigint>>();
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

test('the order of arrival does not change which rows are one trace', () => {
  const orders = tree.chain((edges) =>
    fc.tuple(fc.constant(edges), fc.shuffledSubarray(edges, { minLength: edges.length })),
  );
  fc.assert(
    fc.property(orders, ([one, other]) => {
      const rows = one.map(([wire, parent]) => row(wire, parent));
      expect(partition(other.map(([wire, parent]) => row(wire, parent)))).toEqual(partition(rows));
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('rows of one batch share a root without an alias, whatever their order', () => {
  const table = createRootTable(OPTIONS);
  const batch = [row(3, 2), row(2, 1), row(1)];
  for (const one of batch) table.join(one, 100);
  expect(batch.map((one) => table.rootOf(one, 100))).toEqual([1n, 1n, 1n]);
  expect(table.takeAliases()).toEqual([]);
  observe(table, row(1, 9), 100);
  expect(table.takeAliases()).toEqual([{ old: 1n, new: 9n }]);
});

test('a doubtful link does not join traces; a trace id does', () => {
  const traced = (wireId: number): RootRow => ({ ...row(wireId), traceId: 'ab'.repeat(16) });
  expect(partition([row(1), row(2, 1, 0.89)])).toEqual(['1', '2']);
  expect(partition([traced(1), traced(2), row(3)])).toEqual(['1 2', '3']);
});

test('a trace stops growing at its cap, counted', () => {
  const table = createRootTable({ ...OPTIONS, rowsMax: 3 });
  for (let wire = 1; wire <= 5; wire++) observe(table, row(wire, wire - 1), 100);
  // The fourth is cut off; the fifth joins the fourth.
  expect(table.counters().cut).toBe(1);
});

test('memory is bounded: old entries go, all else is kept', () => {
  const table = createRootTable({ ...OPTIONS, capacity: 64 });
  for (let wire = 1; wire < 1_000; wire++) observe(table, row(wire), wire);
  expect(table.counters().entries).toBeLessThanOrEqual(64 * 0.6);
  expect(observe(table, row(1_000, 999), 1_000)).toBe(999n);
});
