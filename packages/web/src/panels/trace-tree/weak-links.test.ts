import { expect, test } from 'vitest';
import { traceOf } from '../../testing/fixture-data.ts';
import { countWeakLinks, cutWeakLinks } from './weak-links.ts';

const [BASE] = traceOf('t', 1, 0, 100).spans;
if (BASE === undefined) throw new Error('BUG: a trace of one span has none');
const root = { ...BASE, spanId: 'root', wireId: '1', parentId: null, link: null };
const weak = {
  ...BASE,
  spanId: 'weak',
  wireId: '2',
  parentId: 'root',
  link: {
    probability: 0.8,
    evidence: ['thread'],
    candidates: [{ wireId: '9', probability: 0.1 }],
  },
};
const spans = [root, weak];

test.each([0.5, 0.8])('a link as sure as the threshold %s stays', (threshold) => {
  expect(cutWeakLinks(spans, threshold)).toEqual(spans);
});

test('a link below the threshold is cut, and its parent becomes the first candidate', () => {
  expect(countWeakLinks(spans, 0.9)).toBe(1);
  expect(cutWeakLinks(spans, 0.9)).toEqual([
    root,
    {
      ...weak,
      parentId: null,
      link: {
        probability: 0,
        evidence: [],
        candidates: [
          { wireId: '1', probability: 0.8 },
          { wireId: '9', probability: 0.1 },
        ],
      },
    },
  ]);
});
