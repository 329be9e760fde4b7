import fc from 'fast-check';
import { expect, test } from 'vitest';
import { traceOf } from '../../testing/fixture-data.ts';
import { buildTree, findSpans, searchTexts, serviceTotals, visibleRows } from './tree.ts';

const SEED = { seed: 20_261_124 };
const [SPAN] = traceOf('t', 1, 0, 100).spans;
if (SPAN === undefined) throw new Error('BUG: a trace of one span has none');
const BASE = SPAN;

/** Spans from `id: parent, start, end`. */
function spansOf(
  rows: readonly (readonly [string, string | null, number, number])[],
): (typeof BASE)[] {
  return rows.map(([spanId, parentId, startUs, endUs]) => ({
    ...BASE,
    spanId,
    parentId,
    startUs,
    endUs,
    isError: false,
  }));
}

test('spans come in tree order, siblings by start, orphans as roots', () => {
  const tree = buildTree(
    spansOf([
      ['late', 'root', 50, 60],
      ['orphan', 'nowhere', 5, 8],
      ['root', null, 0, 100],
      ['early', 'root', 10, 40],
      ['leaf', 'early', 20, 30],
    ]),
  );
  expect(tree.spans.map((span) => span.spanId)).toEqual([
    'root',
    'early',
    'leaf',
    'late',
    'orphan',
  ]);
  expect([...tree.depth]).toEqual([0, 1, 2, 1, 0]);
  expect([...tree.parent]).toEqual([-1, 0, 1, 0, -1]);
  expect([...tree.end]).toEqual([4, 3, 3, 4, 5]);
  expect([...tree.isLast]).toEqual([1, 0, 1, 1, 1]);
});

test('self time is what no child covers, overlapping children counted once', () => {
  const tree = buildTree(
    spansOf([
      ['root', null, 0, 100],
      ['a', 'root', 10, 50],
      ['b', 'root', 30, 60],
      ['past the end', 'root', 90, 140],
    ]),
  );
  expect([...tree.selfUs]).toEqual([40, 40, 30, 50]);
});

test('any parent links, circles too, keep each span exactly once and subtrees contiguous', () => {
  const links = fc.array(fc.tuple(fc.nat(30), fc.nat(1_000)), { minLength: 1, maxLength: 31 });
  fc.assert(
    fc.property(links, (rows) => {
      const spans = spansOf(rows.map(([up, at], i) => [`s${i}`, `s${up}`, at, at + 10]));
      const tree = buildTree(spans);
      expect(tree.spans.map((s) => s.spanId).sort()).toEqual(spans.map((s) => s.spanId).sort());
      tree.spans.forEach((_, at) => {
        const parent = tree.parent[at] ?? -1;
        expect(parent).toBeLessThan(at);
        if (parent >= 0) expect(tree.end[parent]).toBeGreaterThanOrEqual(tree.end[at] ?? 0);
      });
    }),
    SEED,
  );
});

test('a chain as deep as a trace may be long is read without overflow', () => {
  const chain = Array.from(
    { length: 50_000 },
    (_, i) => [`s${i}`, i === 0 ? null : `s${i - 1}`, i, 100_000 - i] as const,
  );
  expect(buildTree(spansOf(chain)).depth.at(-1)).toBe(49_999);
});

test('collapsed spans hide what is below them and nothing else', () => {
  const tree = buildTree(traceOf('t', 200, 0, 1e6).spans);
  expect(visibleRows(tree, () => false)).toHaveLength(200);
  expect([...visibleRows(tree, () => true)]).toEqual([0]);
  const at = tree.childCount.findIndex((count, index) => index > 0 && count > 0);
  const hidden = (tree.end[at] ?? 0) - at - 1;
  expect(visibleRows(tree, (index) => index === at)).toHaveLength(200 - hidden);
});

test('find looks into all fields and ignores case; an empty text finds nothing', () => {
  const tree = buildTree(traceOf('t', 50, 0, 1e6).spans);
  const texts = searchTexts(tree);
  expect(findSpans(texts, '  ')).toEqual([]);
  expect(findSpans(texts, '10.20.0.2')).toHaveLength(50);
  const service = tree.spans[7]?.service ?? '';
  expect(findSpans(texts, service.toUpperCase())).toContain(7);
});

test('totals count each span and error once', () => {
  const tree = buildTree(traceOf('t', 300, 0, 1e6).spans);
  const totals = serviceTotals(tree);
  expect(totals.reduce((sum, total) => sum + total.spans, 0)).toBe(300);
  expect(totals.reduce((sum, total) => sum + total.errors, 0)).toBe(tree.errors[0]);
});
