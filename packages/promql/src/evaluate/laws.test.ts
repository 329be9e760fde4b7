import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelsKey } from '../labels.ts';
import { memorySource } from '../memory-source.ts';
import type { SeriesSamples } from '../series-source.ts';
import { evaluateInstant, evaluateRange } from './evaluate-query.ts';
import type { QueryAnswer, QueryOptions } from './query.ts';

const SEED = { seed: 20_416, numRuns: 25 };
const SERIES = 6;
const SAMPLES = 40;

/** Counters and gauges with gaps, resets and odd values. */
const data = fc
  .array(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: -5, max: 50 })), {
      minLength: 2,
      maxLength: SAMPLES,
    }),
    { minLength: 1, maxLength: SERIES },
  )
  .map((series) => series.map(seriesOf));

function seriesOf(steps: readonly (readonly [number, number])[], at: number): SeriesSamples {
  let time = 0;
  let value = 0;
  const points = steps.map(([gap, change]) => {
    time += gap;
    value = change < 0 ? 0 : value + change;
    return [time, value] as const;
  });
  return {
    labels: [
      ['__name__', 'requests_total'],
      ['instance', String(at)],
      ['job', at % 2 === 0 ? 'a' : 'b'],
    ],
    times: Float64Array.from(points, ([time]) => time),
    values: Float64Array.from(points, ([, value]) => value),
  };
}

const QUERIES = [
  'requests_total',
  'rate(requests_total[1m])',
  'increase(requests_total[90s] offset 10s)',
  'sum by (job) (rate(requests_total[2m]))',
  'avg_over_time(requests_total[1m:7s])',
  'requests_total @ 120 - requests_total',
  'max(requests_total) without (instance) > 20',
  'topk(2, requests_total)',
  'requests_total{job="a"} / on (job) group_left sum by (job) (requests_total)',
  'requests_total > 10 or vector(1)',
  'requests_total unless requests_total > 30',
  'absent(requests_total{job="b"})',
  'quantile(0.5, requests_total)',
  'stddev(requests_total) + time()',
  'predict_linear(requests_total[2m], 60)',
  'changes(requests_total[3m]) * resets(requests_total[3m])',
  'count_values("v", requests_total)',
  'label_replace(requests_total, "x", "$1-y", "instance", "(.*)")',
  'min_over_time(sum(requests_total)[2m:13s])',
  'deriv(requests_total[2m])',
];

type Points = Record<string, Record<number, number>>;

function pointsOf(answer: QueryAnswer): Points {
  if (answer.kind === 'error') throw new Error(answer.error.message);
  const { value } = answer;
  const points: Points = {};
  if (value.kind === 'vector') {
    for (const { labels, timeMs, value: one } of value.samples) {
      points[labelsKey(labels)] = { [timeMs]: one };
    }
  }
  if (value.kind === 'matrix') {
    for (const series of value.series) {
      const entries = series.points.map((point): [number, number] => [point.timeMs, point.value]);
      points[labelsKey(series.labels)] = Object.fromEntries(entries);
    }
  }
  return points;
}

test.each(QUERIES)('a range is the instants at each step: %s', async (query) => {
  await fc.assert(
    fc.asyncProperty(data, async (series) => {
      const options: QueryOptions = { source: memorySource(series) };
      const times = { startMs: 30_000, endMs: 430_000, stepMs: 50_000 };
      const whole = pointsOf(await evaluateRange(query, times, options));
      const parts: Points = {};
      for (let timeMs = times.startMs; timeMs <= times.endMs; timeMs += times.stepMs) {
        const at = pointsOf(await evaluateInstant(query, { timeMs }, options));
        for (const [key, point] of Object.entries(at)) parts[key] = { ...parts[key], ...point };
      }
      expect(whole).toEqual(parts);
    }),
    SEED,
  );
});

test.each([
  ['sum(requests_total)', 'sum(sum by (job) (requests_total))'],
  ['count(requests_total)', 'sum(count by (job) (requests_total))'],
  ['max(requests_total)', 'max(max by (job) (requests_total))'],
  ['avg(requests_total)', 'sum(requests_total) / count(requests_total)'],
  ['sum(increase(requests_total[1m]))', 'sum(sum by (job) (increase(requests_total[1m])))'],
  ['requests_total', 'requests_total{job="a"} or requests_total{job!="a"}'],
  ['increase(requests_total[1m])', 'rate(requests_total[1m]) * 60'],
  ['requests_total offset 1m', 'last_over_time(requests_total[5m] offset 1m)'],
])('the whole is made of its parts: %s = %s', async (whole, parts) => {
  await fc.assert(
    fc.asyncProperty(data, async (series) => {
      const options: QueryOptions = { source: memorySource(series) };
      const times = { startMs: 0, endMs: 400_000, stepMs: 40_000 };
      const [left, right] = await Promise.all(
        [whole, parts].map(async (query) => pointsOf(await evaluateRange(query, times, options))),
      );
      expect(rounded(left ?? {})).toEqual(rounded(right ?? {}));
    }),
    SEED,
  );
});

const rounded = (points: Points): unknown =>
  JSON.parse(
    JSON.stringify(points, (_, value) =>
      typeof value === 'number' ? +value.toPrecision(9) : value,
    ),
  );
