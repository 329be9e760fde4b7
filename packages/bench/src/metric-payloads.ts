import { createProtoWriter, snappyEncode } from '@thalweg/wire';

/** The shape of the load: what one Prometheus with 50 routes on 200 instances remote-writes. */
export interface MetricLoad {
  readonly series: number;
  readonly scrapes: number;
  /** Milliseconds since the epoch of the first scrape: a whole minute. */
  readonly startMs: number;
  /** Bodies of remote write 1.0 by scrape and group; a group's bodies go one after the other. */
  readonly bodies: readonly (readonly Uint8Array<ArrayBuffer>[])[];
}

export const SCRAPE_MS = 15_000;
const GROUP_SERIES = 2_000;
const ROUTES = 50;
const RESTARTS_AT = 150;

/** Counters with seven labels, scraped each 15 s with jitter; some restart once. Seeded. */
export function metricLoad(series: number, scrapes: number, nowMs: number): MetricLoad {
  const startMs = Math.floor((nowMs - scrapes * SCRAPE_MS) / 60_000) * 60_000;
  const random = xorshift(12_345);
  const labels = Array.from({ length: series }, (_, at) => labelsOf(at));
  const values = Float64Array.from({ length: series }, () => random() % 100_000);
  const bodies: Uint8Array<ArrayBuffer>[][] = [];
  for (let scrape = 0; scrape < scrapes; scrape += 1) {
    const groups: Uint8Array<ArrayBuffer>[] = [];
    for (let first = 0; first < series; first += GROUP_SERIES) {
      const writer = createProtoWriter();
      for (let at = first; at < Math.min(first + GROUP_SERIES, series); at += 1) {
        const grown = (values[at] ?? 0) + (random() % (1 + (at % 200)));
        values[at] = scrape === RESTARTS_AT && at % 500 === 0 ? 0 : grown;
        // Even, and queries ask at odd times: no sample lies on the edge of a window, which
        // Prometheus 2.42 counts in and 3 does not.
        const offsetMs = 2 * Math.floor((((at * 7_919) % SCRAPE_MS) + (random() % 5)) / 2);
        const timeMs = startMs + scrape * SCRAPE_MS + offsetMs;
        writer.messageField(1, () => {
          for (const [name, value] of labels[at] ?? []) {
            writer.messageField(1, () => {
              writer.textField(1, name);
              writer.textField(2, value);
            });
          }
          writer.messageField(2, () => {
            writer.doubleField(1, values[at] ?? 0);
            writer.signedField(2, timeMs);
          });
        });
      }
      groups.push(snappyEncode(writer.finish()));
    }
    bodies.push(groups);
  }
  return { series, scrapes, startMs, bodies };
}

function labelsOf(at: number): readonly (readonly [name: string, value: string])[] {
  const route = at % ROUTES;
  const instance = Math.floor(at / ROUTES);
  const job = `svc-${route % 10}`;
  return [
    ['__name__', 'http_requests_total'],
    ['code', instance % 4 === 3 ? '500' : '200'],
    ['instance', `10.0.${instance >> 5}.${instance & 31}:9090`],
    ['job', job],
    ['method', instance % 2 === 1 ? 'POST' : 'GET'],
    ['pod', `${job}-7d9f8b6c5-${instance.toString(36).padStart(4, 'x')}`],
    ['route', `/api/v1/resource${route}`],
  ];
}

function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
