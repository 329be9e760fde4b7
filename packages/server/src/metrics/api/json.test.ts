import { expect, test } from 'vitest';
import { formatTime, formatValue, valueJson } from './json.ts';
import { nativeBuckets } from './native-buckets.ts';
import { parametersOf, readDurationMs, readLimit, readTime } from './parameters.ts';

test.each([
  { value: 1, text: '1' },
  { value: -0, text: '-0' },
  { value: 0.1, text: '0.1' },
  { value: 1e-7, text: '1e-07' },
  { value: 1.5e-10, text: '1.5e-10' },
  { value: 1e21, text: '1e+21' },
  { value: 123_456_789_012, text: '123456789012' },
  { value: Number.NaN, text: 'NaN' },
  { value: Number.POSITIVE_INFINITY, text: '+Inf' },
  { value: Number.NEGATIVE_INFINITY, text: '-Inf' },
])('$text is written as Prometheus does', ({ value, text }) => {
  expect(formatValue(value)).toBe(text);
});

test('times are seconds with the milliseconds that they have', () => {
  expect([1_435_781_430_781, 1_435_781_430_000, 5].map(formatTime)).toEqual([
    '1435781430.781',
    '1435781430',
    '0.005',
  ]);
});

test.each([
  { timeMs: 0, value: 1, text: '[0,"1"]' },
  { timeMs: 1_435_781_430_781, value: 0.1, text: '[1435781430.781,"0.1"]' },
  { timeMs: 1_435_781_430_700, value: -0, text: '[1435781430.7,"-0"]' },
  { timeMs: 1_435_781_430_050, value: Number.NaN, text: '[1435781430.05,"NaN"]' },
  { timeMs: 9_999_999_999_999, value: 1e21, text: '[9999999999.999,"1e+21"]' },
  { timeMs: 10_000_000_000_000, value: 1, text: '[10000000000,"1"]' },
  { timeMs: -1_500, value: 1, text: '[-1.5,"1"]' },
])('the point $text is written as its time and value are', ({ timeMs, value, text }) => {
  const written = String(valueJson({ kind: 'scalar', timeMs, value }));
  expect(written).toBe(`{"resultType":"scalar","result":${text}}`);
});

test('a matrix of any size is one text, whatever its labels', () => {
  const labels = [['π', '"\n\u{1f600}'.repeat(400)]] as const;
  const points = Array.from({ length: 500 }, (_, at) => ({ timeMs: at * 1_000, value: at / 7 }));
  const { result } = JSON.parse(
    String(
      valueJson({
        kind: 'matrix',
        series: [
          { labels, points },
          { labels: [], points: [] },
        ],
      }),
    ),
  );
  expect(result).toEqual([
    {
      metric: Object.fromEntries(labels),
      values: points.map(({ timeMs, value }) => [timeMs / 1e3, String(value)]),
    },
    { metric: {} },
  ]);
});

test('a histogram lists its buckets from below, each with the rule of its ends', () => {
  const histogram = {
    schema: 0,
    sum: 3,
    count: 7,
    zeroThreshold: 0.001,
    zeroCount: 2,
    positive: {
      spans: [
        { offset: 0, length: 2 },
        { offset: 1, length: 1 },
      ],
      counts: [1, 0, 2],
    },
    negative: { spans: [{ offset: 1, length: 1 }], counts: [2] },
    customBounds: [],
    counterReset: 'unknown',
  } as const;
  expect(nativeBuckets(histogram)).toEqual([
    { rule: 1, lower: -2, upper: -1, count: 2 },
    { rule: 3, lower: -0.001, upper: 0.001, count: 2 },
    { rule: 0, lower: 0.5, upper: 1, count: 1 },
    { rule: 0, lower: 4, upper: 8, count: 2 },
  ]);
  const labels = [['__name__', 'h']] as const;
  const samples = [{ labels, timeMs: 1_500, value: 0, histogram }];
  expect(String(valueJson({ kind: 'vector', samples }))).toBe(
    '{"resultType":"vector","result":[{"metric":{"__name__":"h"},"histogram":[1.5,{"count":"7","sum":"3","buckets":[[1,"-2","-1","2"],[3,"-0.001","0.001","2"],[0,"0.5","1","1"],[0,"4","8","2"]]}]}]}',
  );
});

test.each([
  { text: '1435781430.781', ms: 1_435_781_430_781 },
  { text: '2015-07-01T20:10:51Z', ms: 1_435_781_451_000 },
  { text: '2015-07-01T22:10:51.5+02:00', ms: 1_435_781_451_500 },
])('the time $text is read', ({ text, ms }) => {
  expect(readTime(parametersOf(`/q?time=${encodeURIComponent(text)}`, undefined), 'time')).toBe(ms);
});

test.each([
  {
    query: 'time=soon',
    read: readTime,
    name: 'time',
    message: /cannot parse "soon" to a valid timestamp/,
  },
  {
    query: 'step=1x',
    read: readDurationMs,
    name: 'step',
    message: /cannot parse "1x" to a valid duration/,
  },
  { query: 'limit=-1', read: readLimit, name: 'limit', message: /limit must be non-negative/ },
])('$query is refused in the words of Prometheus', ({ query, read, name, message }) => {
  expect(() => read(parametersOf(`/q?${query}`, undefined), name)).toThrow(message);
});

test('a form wins over the query, and repeated names stay apart', () => {
  const parameters = parametersOf('/q?a=1&match[]=x', 'a=2&match[]=y&match[]=z');
  expect([parameters.get('a'), parameters.all('match[]')]).toEqual(['2', ['y', 'z', 'x']]);
});
