import { expect, test } from 'vitest';
import { memorySource } from '../memory-source.ts';
import type { RangeCall, SeriesSamples, SeriesSource } from '../series-source.ts';
import { evaluateInstant, evaluateRange } from './evaluate-query.ts';
import type { QueryAnswer, QueryOptions } from './query.ts';

const series = (count: number, samples: number): SeriesSamples[] =>
  Array.from({ length: count }, (_, at) => ({
    labels: [
      ['__name__', 'requests_total'],
      ['instance', String(at).padStart(6, '0')],
    ],
    times: Float64Array.from({ length: samples }, (_, i) => i * 15_000),
    values: Float64Array.from({ length: samples }, (_, i) => i),
  }));
const source = memorySource(series(20, 100));
const times = { startMs: 0, endMs: 1_200_000, stepMs: 60_000 };

const errorOf = (answer: QueryAnswer): string =>
  answer.kind === 'error' ? `${answer.error.type}: ${answer.error.message}` : answer.kind;

const range = async (query: string, options: Partial<QueryOptions> = {}): Promise<QueryAnswer> =>
  evaluateRange(query, times, { source, ...options });

test.each([
  ['rate(', {}, /^bad_data: 1:6: parse error: /],
  ['requests_total[5m]', {}, /^bad_data: invalid expression type "range vector" for range query/],
  ['requests_total', { limits: { stepsMax: 10 } }, /^bad_data: exceeded maximum resolution of 10 /],
  ['requests_total', { limits: { samplesMax: 100 } }, /^execution: .*100/],
  ['requests_total', { limits: { seriesMax: 10 } }, /^execution: 20 series selected/],
  ['requests_total', { signal: { aborted: true } }, /^canceled: /],
  ['requests_total + on () requests_total', {}, /^execution: found duplicate series/],
] as const)('%s with %j is refused', async (query, options, message) => {
  expect(errorOf(await range(query, options))).toMatch(message);
});

test('a query past its time ends with timeout, and pauses on the way', async () => {
  let nowMs = 0;
  let pauses = 0;
  const host = {
    nowMs: () => nowMs,
    pause: () => {
      pauses++;
      nowMs += 1_000;
      return Promise.resolve();
    },
  };
  const query = 'sum(deriv(requests_total[10m]))';
  const long = { startMs: 0, endMs: 10_000_000, stepMs: 1_000 };
  const options = { source, host, limits: { durationMsMax: 2_500 } };
  expect(errorOf(await evaluateRange(query, long, options))).toMatch(/^timeout: /);
  expect(pauses).toBeGreaterThan(0);
});

test('a signal that comes during the evaluation cancels it', async () => {
  const signal = { aborted: false };
  const host = {
    nowMs: () => 0,
    pause: () => {
      signal.aborted = true;
      return Promise.resolve();
    },
  };
  const long = { startMs: 0, endMs: 10_000_000, stepMs: 1_000 };
  const answer = await evaluateRange('rate(requests_total[10m])', long, { source, host, signal });
  expect(errorOf(answer)).toMatch(/^canceled: /);
});

test('a source that fails is an internal error, not a rejection', async () => {
  const broken: SeriesSource = { select: () => Promise.reject(new Error('the store is gone')) };
  expect(errorOf(await range('up', { source: broken }))).toBe('internal: the store is gone');
});

test('a trace names the stages with their series and samples', async () => {
  const answer = await range('sum(rate(requests_total[5m]))', { wantsTrace: true });
  expect(answer).toMatchObject({
    kind: 'answer',
    samplesRead: 1_620,
    trace: {
      expression: 'sum(rate(requests_total[5m]))',
      series: 1,
      samples: 21,
      children: [{ expression: 'rate(requests_total[5m])', series: 20, samples: 420 }],
    },
  });
});

test('a range function goes to a source that evaluates it, with the same answer', async () => {
  const calls: RangeCall[] = [];
  const near: SeriesSource = {
    select: (selection, options) => source.select(selection, options),
    async evaluateRange(call) {
      calls.push(call);
      const here = await range(`${call.name}(requests_total[5m])`);
      if (here.kind !== 'answer' || here.value.kind !== 'matrix') return undefined;
      return here.value.series.map(({ labels, points }) => ({
        labels: [['__name__', 'requests_total'] as const, ...labels],
        values: Float64Array.from(
          { length: 21 },
          (_, i) => points.find((p) => p.timeMs === i * 60_000)?.value ?? Number.NaN,
        ),
        has: Uint8Array.from({ length: 21 }, (_, i) =>
          Number(points.some((p) => p.timeMs === i * 60_000)),
        ),
      }));
    },
  };
  const query = 'sum by (instance) (rate(requests_total[5m]))';
  const [pushed, here] = await Promise.all([range(query, { source: near }), range(query)]);
  expect(calls).toEqual([
    {
      name: 'rate',
      matchers: [{ name: '__name__', operator: '=', value: 'requests_total' }],
      rangeMs: 300_000,
      offsetMs: 0,
      ...times,
    },
  ]);
  expect(pushed).toMatchObject({ value: here.kind === 'answer' ? here.value : undefined });
});

test.each(['(a*)*b', '(a|aa)+$', '(x+x+)+y'])(
  'a hostile regex %s is matched in linear time',
  async (regex) => {
    const labels: SeriesSamples['labels'] = [
      ['__name__', 'up'],
      ['v', 'a'.repeat(50_000)],
    ];
    const hostile = memorySource([
      { labels, times: Float64Array.of(0), values: Float64Array.of(1) },
    ]);
    const answer = await evaluateInstant(`up{v=~"${regex}"}`, { timeMs: 0 }, { source: hostile });
    expect(answer.kind).toBe('answer');
  },
);

test('an aggregation over very many histograms is only a larger sum', async () => {
  const side = { spans: [{ offset: 0, length: 1 }], counts: [1] };
  const one = {
    schema: 0,
    sum: 1,
    count: 1,
    zeroThreshold: 0,
    zeroCount: 0,
    positive: side,
    negative: { spans: [], counts: [] },
    customBounds: [],
    counterReset: 'unknown',
  } as const;
  const many = Array.from(
    { length: 150_000 },
    (_, i): SeriesSamples => ({
      labels: [
        ['__name__', 'h'],
        ['i', String(i)],
      ],
      times: Float64Array.of(0),
      values: Float64Array.of(1),
      histograms: [one],
    }),
  );
  const large = memorySource(many);
  const answer = await evaluateInstant('histogram_count(sum(h))', { timeMs: 0 }, { source: large });
  expect(answer).toMatchObject({ value: { samples: [{ value: 150_000 }] } });
});
