import type { Span } from '@thalweg/model';
import { expect, test } from 'vitest';
import { alignedLines } from './aligned.ts';
import { traceTree, withoutInterfaces } from './trace-tree.ts';

/** The fields that the tree shows; 1 ms each. */
function span(spanId: string, parentId: string | null, probability = 1): Span {
  const link = parentId === null ? null : { probability, evidence: ['thread'] };
  const shown = { spanId, parentId, link, observationPoint: 's', service: spanId, method: 'GET' };
  return {
    ...shown,
    endpoint: '',
    path: '/',
    status: 200,
    startUs: 0,
    endUs: 1_000,
  } as unknown as Span; // Enough.
}

function drawn(spans: readonly Span[]): readonly string[] {
  return alignedLines(traceTree({ spans: [...spans] }));
}

test('children stand below their parent, with branches and what their link is worth', () => {
  const spans = [span('a', null), span('b', 'a', 0.5), span('c', 'b'), span('d', 'a')];
  expect(drawn(spans)).toEqual([
    's a        GET /  200  1.00 ms',
    '├─ s b     GET /  200  1.00 ms  p=0.50 thread',
    '│  └─ s c  GET /  200  1.00 ms  p=1.00 thread',
    '└─ s d     GET /  200  1.00 ms  p=1.00 thread',
  ]);
});

test.each([
  { name: 'a parent that is not in the answer', spans: [span('a', 'gone')], names: ['a'] },
  { name: 'a span that stands twice', spans: [span('a', null), span('a', null)], names: ['a'] },
  {
    name: 'a cycle beside a tree',
    spans: [span('a', null), span('b', 'c'), span('c', 'b')],
    names: ['a'],
  },
  { name: 'no spans', spans: [], names: [] },
])('$name neither fails nor repeats', ({ spans, names }) => {
  expect(traceTree({ spans }).map(([first]) => first?.slice(2))).toEqual(names);
});

test('a chain of 2,000 spans is drawn', () => {
  const spans = Array.from({ length: 2_000 }, (_, at) =>
    span(String(at), at === 0 ? null : String(at - 1)),
  );
  expect(traceTree({ spans })).toHaveLength(2_000);
});

test('without interfaces a span hangs under the nearest process above it', () => {
  const spans = [
    { ...span('a', null), signal: 'S' },
    { ...span('n', 'a'), signal: 'N' },
    { ...span('m', 'n'), signal: 'N' },
    { ...span('b', 'm'), signal: 'S' },
  ] as const;
  expect(withoutInterfaces(spans).map(({ spanId, parentId }) => [spanId, parentId])).toEqual([
    ['a', null],
    ['b', 'a'],
  ]);
});
