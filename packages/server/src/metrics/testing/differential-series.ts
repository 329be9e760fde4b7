import type { WrittenSeries } from './write-request.ts';

const STALE = new Float64Array(Uint32Array.of(2, 0x7ff00000).buffer)[0] ?? Number.NaN;
const INSTANCES = 3;
const BOUNDS = ['0.1', '0.5', '1', '5', '+Inf'];

/** Numbers that are the same each time: a hash of what they are for. */
function noise(...parts: readonly number[]): number {
  let state = 2_166_136_261;
  for (const part of parts) state = Math.imul(state ^ part, 16_777_619);
  state ^= state >>> 15;
  state = Math.imul(state, 0x2c1b3c6d);
  return ((state ^ (state >>> 12)) >>> 0) / 2 ** 32;
}

/**
 * One scrape: counters with restarts, gauges below zero, with NaN and infinities, classic
 * histograms, a series that ends with a stale marker and comes back, one with gaps. Times are off
 * any whole second, so that open and closed ends of windows hold the same samples.
 */
export function differentialSeries(scrape: number, scrapeMs: number): WrittenSeries[] {
  const series: WrittenSeries[] = [];
  const add = (name: string, labels: Record<string, string>, value: number, at: number): void => {
    const timeMs = scrapeMs + 137 + at * 211 + Math.floor(noise(scrape, at) * 40);
    series.push({ labels: { __name__: name, ...labels }, samples: [[timeMs, value]] });
  };
  for (let at = 0; at < INSTANCES; at += 1) {
    const instance = { instance: `host-${at}:9090`, job: at === 2 ? 'worker' : 'web' };
    const sinceRestart = at === 1 ? scrape % 70 : scrape;
    for (const code of ['200', '404', '500']) {
      const perScrape = code === '200' ? 12 : 1.5;
      const count = Math.floor(sinceRestart * perScrape * (at + 1) + noise(at, code.length) * 3);
      add('requests_total', { ...instance, code, method: at === 0 ? 'GET' : 'POST' }, count, at);
    }
    add('temperature', instance, Math.sin(scrape / 9 + at) * 30 - 4 + noise(scrape, at), at);
    add('limits', { ...instance, zone: `z${at % 2}` }, 100 * (at + 1), at);
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0.5];
    add('odd_values', instance, odd[(scrape + at) % odd.length] ?? 0, at);
    let below = 0;
    for (const [rank, le] of BOUNDS.entries()) {
      below += Math.floor(sinceRestart * (rank + 1) * (1 + noise(at, rank)));
      add('latency_seconds_bucket', { ...instance, le }, below, at);
    }
    add('latency_seconds_count', instance, below, at);
    add('latency_seconds_sum', instance, below * 0.37, at);
    add('up', instance, noise(scrape, at, 7) > 0.1 ? 1 : 0, at);
    add('start_time_seconds', instance, 1_700_000_000 + at * 86_399 * 31, at);
  }
  if (scrape % 40 < 25) add('sometimes', { kind: 'a' }, scrape, 0);
  if (scrape % 40 === 25) add('sometimes', { kind: 'a' }, STALE, 0);
  if (scrape % 30 === 0) add('sparse', { kind: 'b' }, scrape * 3, 1);
  return series;
}
