import { createBatch, prometheusSamples, prometheusSeries } from '@thalweg/model';
import { expect, test } from 'vitest';
import { createHead } from './head.ts';
import { createLiveSeries, type LiveSeries } from './live-series.ts';

const HOUR_MS = 3_600_000;
const PER_HOUR = 500;
const LIVED_HOURS = 3;

/** Rows of series that nobody had before and that have one sample each, as a deployment makes them. */
function churn(live: LiveSeries, hour: number): void {
  const series = createBatch(prometheusSeries);
  const samples = createBatch(prometheusSamples);
  for (let at = 0; at < PER_HOUR; at += 1) {
    const id = (BigInt(1 + hour * PER_HOUR + at) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
    const pod = `pod-${hour}-${at}`;
    const labels = { label_names: ['pod'], label_values: [pod] };
    series.push({ time: hour * 3_600, id, metric: 'up', ...labels });
    samples.push({ id, ts: hour * HOUR_MS + at, value: hour });
  }
  live.observe(prometheusSeries, series.block());
  live.observe(prometheusSamples, samples.block());
}

test('series that come and go take the memory of those that live, and all new ones are found', () => {
  const head = createHead({ bytesMax: 1e9, windowMs: LIVED_HOURS * HOUR_MS });
  head.completeFrom(0);
  const seriesMax = 5 * PER_HOUR;
  const live = createLiveSeries({ head, seriesMax });
  const newest = [{ name: 'pod', operator: '=~', value: 'pod-.*' }] as const;
  let mostBytes = 0;
  for (let hour = 0; hour < 60; hour += 1) {
    churn(live, hour);
    head.trim((hour + 1) * HOUR_MS);
    live.forgetOlder((hour - LIVED_HOURS) * HOUR_MS);
    mostBytes = Math.max(mostBytes, head.bytes());
    const found = live.select(newest, hour * HOUR_MS, (hour + 1) * HOUR_MS);
    expect(found.length).toBe(PER_HOUR);
    const names = found.map((slot) => live.labelsOf(slot)[1]?.[1]);
    expect(new Set(names)).toEqual(
      new Set(Array.from({ length: PER_HOUR }, (_, at) => `pod-${hour}-${at}`)),
    );
  }
  expect(live.counters()).toMatchObject({ seriesNotIndexed: 0 });
  expect(live.counters().series).toBeLessThanOrEqual(seriesMax);
  expect(live.index.values('pod').length).toBe(live.counters().series);
  // 404 bytes a chunk, a chunk a series.
  expect(mostBytes).toBeLessThanOrEqual(seriesMax * 404);
});

test('few dead series are left until they are worth the look at all others', () => {
  const live = createLiveSeries({ head: undefined, seriesMax: 1e6 });
  for (let hour = 0; hour < 20; hour += 1) churn(live, hour);
  expect(live.forgetOlder(1 * HOUR_MS)).toBe(0);
  expect(live.forgetOlder(2 * HOUR_MS)).toBe(2 * PER_HOUR);
  expect(live.counters().series).toBe(18 * PER_HOUR);
});
