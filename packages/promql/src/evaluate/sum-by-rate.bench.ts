// Envelope: 10,000 series × 240 steps × 20 samples a window = 48 M samples looked at.
import { bench, describe } from 'vitest';
import { memorySource } from '../memory-source.ts';
import type { SeriesSamples } from '../series-source.ts';
import { evaluateInstant, evaluateRange } from './evaluate-query.ts';

const SERIES = 10_000;
const STEP_MS = 15_000;
const STEPS = 240;
const SAMPLES = STEPS + 20;

/** Counters with one reset in ten series, from a fixed seed. */
function counters(): SeriesSamples[] {
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  return Array.from({ length: SERIES }, (_, at) => {
    let value = 0;
    const resetAt = at % 10 === 0 ? 100 : -1;
    return {
      labels: [
        ['__name__', 'requests_total'],
        ['instance', `host-${at % 100}`],
        ['route', `route-${Math.floor(at / 100)}`],
      ],
      times: Float64Array.from({ length: SAMPLES }, (_, i) => i * STEP_MS),
      values: Float64Array.from({ length: SAMPLES }, (_, i) => {
        value = i === resetAt ? 0 : value + random() * 100;
        return value;
      }),
    };
  });
}

const source = memorySource(counters());
const times = { startMs: 20 * STEP_MS, endMs: (20 + STEPS - 1) * STEP_MS, stepMs: STEP_MS };

describe('10,000 series in memory', () => {
  bench('sum by (route) (rate(requests_total[5m])), 240 steps', async () => {
    await evaluateRange('sum by (route) (rate(requests_total[5m]))', times, { source });
  });
  bench('rate of one route, 240 steps', async () => {
    await evaluateRange('rate(requests_total{route="route-7"}[5m])', times, { source });
  });
  bench('sum by (route) (rate(requests_total[5m])), one instant', async () => {
    const query = 'sum by (route) (rate(requests_total[5m]))';
    await evaluateInstant(query, { timeMs: times.endMs }, { source });
  });
});
