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
import { keyOf, runKeyOf } from '../traces/trace-index.ts';
import { indexEntries } from './index-entry.ts';
import { traceKeysOf } from './trace-keys.ts';

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
  const [entry] = indexEntries(block, roots, traceKeysOf(block));
  const read = readBlock(traceIndex, entry?.pieces[0] ?? new Uint8Array(), { columns: 'all' });
  if (read.kind === 'invalid') throw new Error(read.message);
  return read.block;
}

test('an interval is entered once under the wire id, the root and the row id of its rows', () => {
  fc.assert(
    fc.property(spans, (rows) => {
      const wanted = new Set(
        rows.flatMap((row) => {
          const interval = Math.floor(row.second / TRACE_INTERVAL_S) * TRACE_INTERVAL_S;
          const keys = [keyOf(`${row.wire_id}`), keyOf(`${row.root}`), runKeyOf(`${row._id}`)];
          return keys.map((key) => `${key} ${interval}`);
        }),
      );
      const block = placesOf(rows);
      const keys = valuesOf(block, 'key');
      const times = valuesOf(block, 'time');
      const told = Array.from(keys, (key, at) => `${key} ${times[at]}`);
      expect(told).toHaveLength(wanted.size);
      expect(new Set(told)).toEqual(wanted);
    }),
    { seed: 8, numRuns: 100 },
  );
});

test('neighbours of one run share an entry', () => {
  const rows = Array.from({ length: 200 }, (_, at) => ({
    _id: 1024n + BigInt(at),
    wire_id: 5n,
    root: 5n,
    second: 1,
  }));
  expect(placesOf(rows).rows).toBe(2);
});
