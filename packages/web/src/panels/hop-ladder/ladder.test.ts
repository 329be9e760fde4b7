import type { Span } from '@thalweg/model';
import { expect, test } from 'vitest';
import { traceOf } from '../../testing/fixture-data.ts';
import { buildTree } from '../trace-tree/tree.ts';
import { ladderOf } from './ladder.ts';

const [template] = traceOf('t', 4, 0, 1e6).spans;
if (template === undefined) throw new Error('BUG: the fixture is empty');

/** `at` is start and end, µs. */
function seen(
  spanId: string,
  parentId: string | null,
  point: string,
  at: readonly [number, number],
  fields: Span['fields'] = {},
): Span {
  const isProcess = point.endsWith('-p');
  return {
    ...(template as Span), // Checked above.
    spanId,
    parentId,
    wireId: spanId.slice(0, 1),
    signal: isProcess ? 'S' : 'N',
    observationPoint: point,
    service: isProcess ? 'gateway' : '',
    startUs: at[0],
    endUs: at[1],
    fields: { agent: 'one', ...fields },
  };
}

const SPANS = [
  seen('1c', null, 'c', [0, 100]),
  seen('1s', '1c', 's', [5, 90], { retrans_tx: '2', retrans_rx: '1', zero_win_rx: '1' }),
  seen('1p', '1s', 's-p', [10, 85]),
  seen('2p', '1p', 'c-p', [30, 60]),
  seen('2c', '2p', 'c', [29, 58]),
  seen('3p', '1p', 'c-p', [20, 25]),
];

test('the way goes from the root through the chosen span, and on by the longest call', () => {
  const tree = buildTree(SPANS);
  const { points, legs } = ladderOf(tree, tree.indexOf.get('1s') ?? 0);
  expect(points.map(({ span }) => span.spanId)).toEqual(['1c', '1s', '1p', '2p', '2c']);
  expect(points.map(({ retransmissions, zeroWindows }) => [retransmissions, zeroWindows])).toEqual([
    [0, 0],
    [3, 1],
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  const wire = { kind: 'wire', service: '', atInterfaces: undefined };
  expect(legs).toEqual([
    { ...wire, requestUs: 5, responseUs: 10, bothUs: 15 },
    { ...wire, requestUs: 5, responseUs: 5, bothUs: 10 },
    {
      kind: 'process',
      service: 'gateway',
      requestUs: 20,
      responseUs: 25,
      bothUs: 45,
      atInterfaces: { requestUs: 24, responseUs: 32 },
    },
    { ...wire, requestUs: -1, responseUs: 2, bothUs: 1 },
  ]);
});

test('a span that is not on the longest way is on its own', () => {
  const tree = buildTree(SPANS);
  const { points } = ladderOf(tree, tree.indexOf.get('3p') ?? 0);
  expect(points.map(({ span }) => span.spanId)).toEqual(['1c', '1s', '1p', '3p']);
});

test('of two clocks only the sum of both ways is known', () => {
  const other = SPANS.map((span) =>
    span.spanId === '1s' ? { ...span, fields: { agent: 'two' } } : span,
  );
  const tree = buildTree(other);
  expect(ladderOf(tree, 0).legs[0]).toMatchObject({
    requestUs: undefined,
    responseUs: undefined,
    bothUs: 15,
  });
});
