import { createProtoWriter, type ProtoWriter, snappyEncode } from '@thalweg/wire';

/** The shape of the load: what one Prometheus with 50 routes on 200 instances remote-writes. */
export interface MetricLoad {
  readonly series: number;
  readonly scrapes: number;
  /** Milliseconds since the epoch of the first scrape: a whole minute. */
  readonly startMs: number;
  /**
   * Bodies of remote write 1.0 by step and sender; a sender's bodies go one after the other, as its
   * series are no other one's. A step is one scrape, or more for senders of fewer series.
   */
  readonly bodies: readonly (readonly Uint8Array<ArrayBuffer>[])[];
}

export const SCRAPE_MS = 15_000;
/** What Prometheus's own sender puts into one request, unless told otherwise. */
const BODY_SAMPLES = 2_000;
const ROUTES = 50;
/** The scrape: within the second hour, which queries ask for. */
const RESTARTS_AT = 390;

/**
 * Counters with seven labels, scraped each 15 s with jitter; some restart once. Seeded. The series
 * are dealt out to `senders`; with few of them each, a body holds several scrapes. Scrapes that do
 * not fill a body are left out.
 */
export function metricLoad(options: {
  readonly series: number;
  readonly scrapes: number;
  readonly senders: number;
  /** The last scrape is before it. */
  readonly endMs: number;
}): MetricLoad {
  const { series, senders, endMs } = options;
  const share = Math.ceil(series / senders);
  const perBody = Math.max(1, Math.floor(BODY_SAMPLES / share));
  const steps = Math.floor(options.scrapes / perBody);
  const scrapes = steps * perBody;
  const startMs = Math.floor((endMs - scrapes * SCRAPE_MS) / 60_000) * 60_000;
  const random = xorshift(12_345);
  const labels = Array.from({ length: series }, (_, at) => labelsOf(at));
  const values = Float64Array.from({ length: series }, () => random() % 100_000);

  function writeSample(writer: ProtoWriter, scrape: number, at: number): void {
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

  const bodies = Array.from({ length: steps }, (_, step) =>
    Array.from({ length: Math.ceil(series / share) }, (_, sender) => {
      const writer = createProtoWriter();
      const end = Math.min((sender + 1) * share, series);
      for (let scrape = step * perBody; scrape < (step + 1) * perBody; scrape += 1) {
        for (let at = sender * share; at < end; at += 1) writeSample(writer, scrape, at);
      }
      return snappyEncode(writer.finish());
    }),
  );
  return { series, scrapes, startMs, bodies: inOnePlace(bodies) };
}

/** A kernel takes twice as long to read bodies that lie about: a tenth of what the fastest store takes. */
function inOnePlace(bodies: MetricLoad['bodies']): MetricLoad['bodies'] {
  const all = Buffer.concat(bodies.flat());
  let at = 0;
  return bodies.map((step) =>
    step.map(({ length }) => {
      at += length;
      return all.subarray(at - length, at);
    }),
  );
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
