import { createBatch, defineTable } from '@thalweg/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyOfText } from '../trace-key.ts';
import { traceKeysOf } from './trace-keys.ts';

const table = defineTable({
  database: 'd',
  name: 't',
  doc: 'Trace ids.',
  timeColumn: 'time',
  orderBy: ['time'],
  retentionHours: 1,
  writer: 'sender',
  columns: { time: { kind: 'seconds', doc: 'a' }, trace_id: { kind: 'text', doc: 'a' } },
});

function keysOf(ids: readonly string[]) {
  const batch = createBatch(table);
  for (const trace_id of ids) batch.push({ time: 1, trace_id });
  const { nodes, keys, isSet } = traceKeysOf(batch.block());
  return ids.map((_, row) => ({
    node: [nodes[2 * row], nodes[2 * row + 1]].join(' '),
    key: keys[row],
    isSet: isSet[row] === 1,
  }));
}

const hex = fc.stringMatching(/^[0-9a-f]{16,32}$/);
const ids = fc.array(fc.oneof(hex, fc.constant(''), fc.string({ maxLength: 40 })), {
  minLength: 1,
  maxLength: 40,
});

test('what an id is known by does not depend on its neighbours', () => {
  fc.assert(
    fc.property(ids, (some) => {
      const repeated = some.flatMap((id) => [id, id]);
      expect(keysOf(repeated)).toEqual(repeated.map((id) => keysOf([id, ''])[0]));
    }),
    { seed: 5, numRuns: 50 },
  );
});

test('the key of an id is the one that a look-up asks for', () => {
  fc.assert(
    fc.property(ids, (some) => {
      const wanted = some.map((id) => (id === '' ? 0 : keyOfText(id)));
      expect(keysOf(some).map(({ key }) => key)).toEqual(wanted);
    }),
    { seed: 6, numRuns: 50 },
  );
});

test.each([
  { name: 'both cases of one id', ids: ['AB'.repeat(16), 'ab'.repeat(16)], isOne: true },
  {
    name: 'a short and a long form',
    ids: ['12'.repeat(8), '0'.repeat(16) + '12'.repeat(8)],
    isOne: true,
  },
  { name: 'two low halves', ids: ['12'.repeat(16), `${'12'.repeat(15)}13`], isOne: false },
  { name: 'two texts', ids: ['order-1', 'order-2'], isOne: false },
])('$name are one trace: $isOne', ({ ids: some, isOne }) => {
  const [one, other] = keysOf(some);
  expect(one?.node === other?.node).toBe(isOne);
});
