import { expect, test } from 'vitest';
import { createCompareFold } from './compare-fold.ts';
import { whereabouts } from './exemplars.ts';
import { parseTraceql } from './parse.ts';
import { rowView } from './row-columns.ts';
import type { MetricSeries } from './series-fold.ts';

const GRID = { fromUs: 0, stepUs: 10e6, count: 2 };
const SECOND_US = 1e6;

/** Spans by method and second; `more` asks about values and times of the selection. */
function compared(spans: readonly (readonly [string, number])[], more = ''): MetricSeries[] {
  const { metrics } = parseTraceql(`{ } | compare({ span.http.request.method = "GET" }${more})`);
  if (metrics?.name !== 'compare') throw new Error('not a comparison');
  const fold = createCompareFold(metrics, GRID);
  for (const [method, second] of spans) {
    const { at, view } = rowView(['request_type', 'start_us'], [method, second * SECOND_US]);
    fold.add(at, view, Math.ceil(second / 10) - 1, 1, () => whereabouts(at, view));
  }
  return [...fold.finish().series];
}

/** Of the method alone: what series say and count. */
const ofMethod = (series: readonly MetricSeries[]): unknown =>
  series
    .filter(({ labels }) => labels[1]?.[0] === 'span.http.request.method')
    .map(({ labels: [type, method], values }) => [type?.[1], method?.[1], ...values]);

const SPANS = [
  ['GET', 1],
  ['GET', 2],
  ['GET', 15],
  ['POST', 3],
  ['PUT', 12],
  ['PUT', 13],
  ['PUT', 25], // Behind the grid.
] as const;

test('each value of an attribute is counted in the selection or in the baseline', () => {
  expect(ofMethod(compared(SPANS))).toEqual([
    ['baseline', 'PUT', 0, 2],
    ['baseline', 'POST', 1, 0],
    ['baseline_total', 'nil', 1, 2],
    ['selection', 'GET', 2, 1],
    ['selection_total', 'nil', 2, 1],
  ]);
});

test('a span of the selection starts in its time range, its end not included', () => {
  expect(ofMethod(compared(SPANS, ', 10, 2000000000, 15000000000'))).toEqual([
    ['baseline', 'GET', 1, 1],
    ['baseline', 'PUT', 0, 2],
    ['baseline', 'POST', 1, 0],
    ['baseline_total', 'nil', 2, 3],
    ['selection', 'GET', 1, 0],
    ['selection_total', 'nil', 1, 0],
  ]);
});

test('of more values than are asked for the most frequent are answered, and a series says so', () => {
  expect(ofMethod(compared(SPANS, ', 1'))).toEqual([
    ['baseline', 'PUT', 0, 2],
    ['baseline_total', 'nil', 1, 2],
    ['selection', 'GET', 2, 1],
    ['selection_total', 'nil', 2, 1],
    ['__too_many_values__', 'nil', Number.NaN, Number.NaN],
  ]);
});

test('an attribute with a value of its own in each span has a total of all and takes bounded room', () => {
  const spans = Array.from({ length: 3_000 }, (_, at) => [`M${at}`, 1] as const);
  const found = ofMethod(compared(spans)) as unknown[][];
  expect(found.filter(([type]) => type === 'baseline')).toHaveLength(10);
  expect(found).toContainEqual(['baseline_total', 'nil', 3_000, 0]);
  expect(found).toContainEqual(['__too_many_values__', 'nil', Number.NaN, Number.NaN]);
});

test.each([
  ['{ } | compare()', 'line 1, col 15: unexpected ")", expected "{"'],
  ['{ } | compare({ name })', 'a filter is boolean, this is string'],
  ['{ } | compare({ }, 0)', 'unexpected "0", expected a whole number above 0'],
  ['{ } | compare({ }, 2000)', 'expected a number from 1 to 1000'],
  ['{ } | compare({ }, 5, 10)', 'compare() takes a filter, a number of values, and a start'],
  ['{ } | compare({ }, 5, 10, 10)', 'a start and a later end'],
  ['{ } | compare({ }) | topk(2)', 'unexpected "|"'],
])('%s is refused with its place', (query, message) => {
  expect(() => parseTraceql(query)).toThrow(message);
});
