import {
  createBatch,
  l7FlowLog,
  readBlock,
  TRACE_INTERVAL_S,
  traceIndex,
  valuesOf,
} from '@thalweg/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRowMaker } from '../testing/l7-rows.ts';
import { keyOf, rowKeyOf } from '../traces/trace-index.ts';
import { createIndexWriter } from './index-entry.ts';
import { traceKeysOf } from './trace-keys.ts';

/** One for all blocks, as in the server: what it holds of one may not show in the next. */
const index = createIndexWriter();
const id = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
const spans = fc.array(fc.record({ _id: id, wire_id: id, root: id, second: fc.nat(60) }), {
  minLength: 1,
  maxLength: 20,
});

function placesOf(rows: readonly { _id: bigint; wire_id: bigint; root: bigint; second: number }[]) {
  const batch = createBatch(l7FlowLog);
  const make = createRowMaker(0);
  for (const { _id, wire_id, second } of rows) batch.push(make(second * 1e6, { _id, wire_id }));
  const block = batch.block();
  const roots = BigUint64Array.from(rows.map(({ root }) => root));
  const [entry] = index.entriesOf(block, roots, traceKeysOf(block));
  const read = readBlock(traceIndex, entry?.pieces[0] ?? new Uint8Array(), { columns: 'all' });
  if (read.kind === 'invalid') throw new Error(read.message);
  return read.block;
}

/** What was entered: key, interval's start and root. */
function told(rows: Parameters<typeof placesOf>[0]): string[] {
  const block = placesOf(rows);
  const keys = valuesOf(block, 'key');
  const times = valuesOf(block, 'time');
  const roots = valuesOf(block, 'root_hash');
  return Array.from(keys, (key, at) => `${key} ${times[at]} ${roots[at]}`);
}

const startOf = (second: number): number =>
  Math.floor(second / TRACE_INTERVAL_S) * TRACE_INTERVAL_S;

test('a root and its interval are entered once under the wire id and the root, and under each row id', () => {
  fc.assert(
    fc.property(spans, (rows) => {
      const entry = (key: number, { second, root }: (typeof rows)[number]): string =>
        `${key} ${startOf(second)} ${root}`;
      const wanted = [
        ...new Set(
          rows.flatMap((row) =>
            [row.wire_id, row.root].map((id) => entry(keyOf(id.toString()), row)),
          ),
        ),
        ...rows.map((row) => entry(rowKeyOf(row._id.toString()), row)),
      ];
      expect(told(rows).toSorted()).toEqual(wanted.toSorted());
    }),
    { seed: 8, numRuns: 100 },
  );
});

test('a block larger than the memory at hand is entered whole, and so is the one after it', () => {
  const rows = Array.from({ length: 9_000 }, (_, at) => ({
    _id: BigInt(at),
    wire_id: BigInt(at >> 1) + 1n,
    root: BigInt(at >> 2) + 2n ** 40n,
    second: at % 30,
  }));
  const wanted = (some: typeof rows): string[] => [
    ...new Set(
      some.flatMap((row) =>
        [row.wire_id, row.root].map(
          (one) => `${keyOf(one.toString())} ${startOf(row.second)} ${row.root}`,
        ),
      ),
    ),
    ...some.map((row) => `${rowKeyOf(row._id.toString())} ${startOf(row.second)} ${row.root}`),
  ];
  // Keys of wire ids that two roots share come in turns; a set of what is told has each once.
  for (const some of [rows, rows.slice(0, 9)]) {
    expect(new Set(told(some))).toEqual(new Set(wanted(some)));
  }
});

test('of two ids with one key each is entered with its root', () => {
  const rows = [
    { _id: 1n, wire_id: 5n, root: 7n, second: 1 },
    { _id: 2n, wire_id: 5n << 32n, root: 8n, second: 1 },
  ];
  expect(keyOf('5')).toBe(keyOf((5n << 32n).toString()));
  expect(told(rows).filter((entry) => entry.startsWith('5 '))).toEqual(['5 0 7', '5 0 8']);
});

test('row ids that follow each other have keys that do so, within 256', () => {
  const keys = Array.from({ length: 256 }, (_, at) =>
    rowKeyOf((3n * 2n ** 40n + 512n + BigInt(at)).toString()),
  );
  expect(keys).toEqual(keys.map((_, at) => (keys[0] ?? 0) + at));
  expect(rowKeyOf((3n * 2n ** 40n + 768n).toString())).not.toBe((keys[0] ?? 0) + 256);
});
