import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTraceql } from './parse.ts';
import { addToSketch, quantileOf } from './quantile-sketch.ts';
import { rowView } from './row-columns.ts';
import { createSeriesFold, type MetricSeries } from './series-fold.ts';

const GRID = { fromUs: 0, stepUs: 10e6, count: 2 };

/**
 * Three GETs and a POST of 1, 2, 4 and 8 ms in the first interval; one GET of 3 ms in the second.
 * Each is a trace whose id says what it is.
 */
function seriesOf(query: string, exemplarsMax: number): readonly MetricSeries[] {
  const { metrics } = parseTraceql(query);
  if (metrics === undefined || metrics.name === 'compare') throw new Error('not of a series');
  const fold = createSeriesFold(metrics, GRID, exemplarsMax);
  const add = (method: string, durationMs: number, interval: number): void => {
    const { at, view } = rowView(['request_type', 'duration_us'], [method, durationMs * 1e3]);
    const traceId = `${method}-${durationMs}`;
    fold.add(at, view, interval, 1, () => ({ traceId, startUs: interval * 10e6 + 1 }));
  };
  for (const ms of [1, 2, 4]) add('GET', ms, 0);
  add('POST', 8, 0);
  add('GET', 3, 1);
  add('GET', 3, 2); // Behind the grid.
  return fold.finish().series;
}

const labelText = ({ labels }: MetricSeries): string =>
  labels.map(([name, value]) => `${name}=${value}`).join(' ');

function folded(query: string): unknown {
  return seriesOf(query, 0).map((one) => [
    labelText(one),
    ...[...one.values].map((value) => Number(value.toPrecision(2))),
  ]);
}

const BY = 'by (span.http.method)';
const [GET, POST] = ['span.http.method=GET', 'span.http.method=POST'];
test.each([
  ['rate()', [['__name__=rate', 0.4, 0.1]]],
  [
    `count_over_time() ${BY}`,
    [
      [GET, 3, 1],
      [POST, 1, 0],
    ],
  ],
  ['sum_over_time(duration)', [['__name__=sum_over_time', 0.015, 0.003]]],
  [
    `avg_over_time(duration) ${BY}`,
    [
      [GET, 0.0023, 0.003],
      [POST, 0.008, Number.NaN],
    ],
  ],
  ['min_over_time(duration)', [['__name__=min_over_time', 0.001, 0.003]]],
  ['max_over_time(duration)', [['__name__=max_over_time', 0.008, 0.003]]],
  [
    'quantile_over_time(duration, .5, 1)',
    [
      ['p=0.5', 0.002, 0.003],
      ['p=1', 0.008, 0.003],
    ],
  ],
  [
    `histogram_over_time(duration) ${BY}`,
    [
      [`${GET} __bucket=0.001048576`, 1, 0],
      [`${GET} __bucket=0.002097152`, 1, 0],
      [`${GET} __bucket=0.004194304`, 1, 1],
      [`${POST} __bucket=0.008388608`, 1, 0],
    ],
  ],
  [`count_over_time() ${BY} | topk(1)`, [[GET, 3, 1]]],
  [`count_over_time() ${BY} | bottomk(1)`, [[POST, 1, 0]]],
  [`count_over_time() ${BY} > 1`, [[GET, 3, Number.NaN]]],
  ['count_over_time() by (span.http.route)', [['span.http.route=nil', 4, 1]]],
  ['sum_over_time(span.http.status_code)', []],
])('{ } | %s', (metrics, want) => {
  expect(folded(`{ } | ${metrics}`)).toEqual(want);
});

test.each([
  // A span that is counted lies on the line, the first of its interval.
  ['rate()', 10, { '__name__=rate': ['GET-1 0.4', 'GET-3 0.1'] }],
  ['max_over_time(duration)', 10, { '__name__=max_over_time': ['POST-8 0.008', 'GET-3 0.003'] }],
  [
    `avg_over_time(duration) ${BY}`,
    10,
    { [GET]: ['GET-4 0.004', 'GET-3 0.003'], [POST]: ['POST-8 0.008'] },
  ],
  [
    'quantile_over_time(duration, .1, 1)',
    10,
    { 'p=0.1': ['GET-3 0.003'], 'p=1': ['POST-8 0.008'] },
  ],
  [
    'histogram_over_time(duration)',
    10,
    {
      '__bucket=0.001048576': ['GET-1 0.001'],
      '__bucket=0.002097152': ['GET-2 0.002'],
      '__bucket=0.004194304': ['GET-4 0.004', 'GET-3 0.003'],
      '__bucket=0.008388608': ['POST-8 0.008'],
    },
  ],
  [`count_over_time() ${BY} | topk(1)`, 10, { [GET]: ['GET-1 3', 'GET-3 1'] }],
  [`count_over_time() ${BY} > 1`, 10, { [GET]: ['GET-1 3'] }],
  [`rate() ${BY}`, 1, { [GET]: ['GET-1 0.3'] }],
  ['rate()', 0, {}],
])('exemplars of %s, at most %i', (metrics, most, want) => {
  const found = seriesOf(`{ } | ${metrics}`, most)
    .filter(({ exemplars }) => exemplars.length > 0)
    .map((one) => [
      labelText(one),
      one.exemplars.map(({ traceId, value }) => `${traceId} ${Number(value.toPrecision(2))}`),
    ]);
  expect(Object.fromEntries(found)).toEqual(want);
});

test.each([
  ['{ } | rate(', 'line 1, col 12: unexpected the end, expected ")"'],
  [
    '{ } | rate() | count() > 2',
    'line 1, col 16: unexpected "count", expected topk(n) or bottomk(n)',
  ],
  ['{ } | quantile_over_time(duration)', 'line 1, col 34: unexpected ")", expected ","'],
  [
    '{ } | quantile_over_time(duration, 2)',
    'line 1, col 36: unexpected "2", expected a quantile from 0 to 1',
  ],
  ['{ } | max_over_time(name)', 'line 1, col 21: max_over_time() takes number, this is string'],
  ['({ } | rate())', 'line 1, col 6: unexpected "|", expected ")"'],
  ['{ } | rate() by (.a, .b, .c, .d, .e, .f)', 'by() takes at most 5 fields, these are 6'],
])('%s is refused with its place', (query, message) => {
  expect(() => parseTraceql(query)).toThrow(message);
});

test('a quantile is within 1 % of the value that has that rank', () => {
  const values = fc.array(fc.double({ noNaN: true, min: -1e300, max: 1e300 }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, quantile) => {
      const sketch = new Map<number, number>();
      for (const value of all) addToSketch(sketch, value, 1);
      const rank = Math.max(0, Math.ceil(quantile * all.length) - 1);
      const exact = [...all].sort((a, b) => a - b)[rank] ?? Number.NaN;
      const found = quantileOf(sketch, quantile);
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(0.0101 * Math.abs(exact) + 1e-300);
    }),
    { seed: 7 },
  );
});
