import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MetricLoad, metricLoad, SCRAPE_MS } from './metric-payloads.ts';
import { METRIC_STORES, type MetricStore, startMetricStore } from './metric-store.ts';
import { type Bench, type BenchRow, median } from './report.ts';

/**
 * The same remote-write bodies into Thalweg, Prometheus and VictoriaMetrics, in slices by turns, and
 * the same queries by turns, 21 times: 10,000 series of seven labels, each 15 s, two hours from five
 * senders, then half an hour from twenty; queries ask for the last of the two hours. Ingest counts until
 * acknowledged; CPU until the store is quiet again. Ratios below one are better for latency, above
 * one for rate.
 */
const FULL = { series: 10_000, scrapes: 480, manyScrapes: 120, slices: 8, repeats: 21 };
const QUICK = { series: 2_000, scrapes: 24, manyScrapes: 20, slices: 2, repeats: 2 };
/** Prometheus's sender opens more connections at a backlog, each for its share of the series. */
const MANY_SENDERS = 20;
const SERIES_OF_SENDER = 2_000;
const QUERY_SCRAPES = 240;

/** Of `rate` in the queries. */
const WINDOW_S = 300;
/** Samples of the load lie at even milliseconds. */
const ODD_MS = 1;

interface QueryCase {
  readonly name: 'sum-by-rate-10k' | 'one-route' | 'instant';
  readonly query: string;
  readonly isRange: boolean;
}
const QUERIES: readonly QueryCase[] = [
  {
    name: 'sum-by-rate-10k',
    query: 'sum by (route) (rate(http_requests_total[5m]))',
    isRange: true,
  },
  {
    name: 'one-route',
    query: 'sum(rate(http_requests_total{route="/api/v1/resource7"}[5m]))',
    isRange: true,
  },
  { name: 'instant', query: 'sum by (job) (http_requests_total)', isRange: false },
];

export const metrics: Bench = async ({ isQuick, signal, progress }) => {
  const size = isQuick ? QUICK : FULL;
  const { series, scrapes, manyScrapes } = size;
  const nowMs = Date.now();
  const manyLoad = metricLoad({
    series,
    scrapes: manyScrapes,
    senders: MANY_SENDERS,
    endMs: nowMs,
  });
  const senders = Math.ceil(series / SERIES_OF_SENDER);
  const load = metricLoad({ series, scrapes, senders, endMs: manyLoad.startMs });
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-bench-'));
  const stores: MetricStore[] = [];
  try {
    for (const kind of METRIC_STORES) {
      stores.push(await startMetricStore(kind, join(folder, kind.name)));
    }
    const rows: BenchRow[] = [];
    const { slices } = size;
    for (const [name, one] of [
      ['ingest', load],
      [`ingest-${MANY_SENDERS}-senders`, manyLoad],
    ] as const) {
      rows.push(...(await ingestRows(stores, { name, load: one, slices }, progress, signal)));
    }
    for (const one of QUERIES) {
      rows.push(...(await queryRows(stores, load, one, size.repeats, signal)));
      progress(`${one.name}: done`);
    }
    rows.push(...(await diskRows(stores, series * (load.scrapes + manyLoad.scrapes))));
    return rows;
  } finally {
    for (const store of stores) await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

type PerStore = Map<MetricStore['name'], number>;

async function ingestRows(
  stores: readonly MetricStore[],
  { name, load, slices }: { name: string; load: MetricLoad; slices: number },
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<BenchRow[]> {
  const rates = new Map(stores.map(({ name }) => [name, [] as number[]]));
  const cpu = new Map(stores.map(({ name }) => [name, 0]));
  const steps = load.bodies.length;
  const samplesOfStep = (load.series * load.scrapes) / steps;
  for (let slice = 0; slice < slices && !signal.aborted; slice += 1) {
    const begin = Math.floor((slice * steps) / slices);
    const bodies = load.bodies.slice(begin, Math.floor(((slice + 1) * steps) / slices));
    // Another one begins each time.
    for (let turn = 0; turn < stores.length; turn += 1) {
      const store = stores[(slice + turn) % stores.length];
      if (store === undefined) continue;
      const cpuBefore = store.cpuMs();
      const startMs = performance.now();
      await send(store, bodies);
      const seconds = (performance.now() - startMs) / 1e3;
      rates.get(store.name)?.push((bodies.length * samplesOfStep) / seconds);
      await untilQuiet(store);
      cpu.set(store.name, (cpu.get(store.name) ?? 0) + store.cpuMs() - cpuBefore);
    }
    progress(`${name}: slice ${slice + 1} of ${slices}`);
  }
  const samples = load.series * load.scrapes;
  const rate: PerStore = new Map([...rates].map(([store, list]) => [store, median(list)]));
  const cpuUs: PerStore = new Map([...cpu].map(([store, ms]) => [store, (ms * 1e3) / samples]));
  return [
    ...compared(name, { metric: 'samples_per_s', unit: '1/s', ratio: 'rate_ratio' }, rate),
    ...compared(name, { metric: 'cpu_us_per_sample', unit: 'µs', ratio: 'cpu_ratio' }, cpuUs),
  ];
}

/** All senders at the same time, each one's bodies in order: as the shards of Prometheus do. */
async function send(store: MetricStore, steps: MetricLoad['bodies']): Promise<void> {
  const senders = steps[0]?.length ?? 0;
  const one = async (sender: number): Promise<void> => {
    for (const bodies of steps) {
      const body = bodies[sender];
      if (body !== undefined) await store.write(body);
    }
  };
  await Promise.all(Array.from({ length: senders }, (_, sender) => one(sender)));
}

const QUIET_STEP_MS = 200;
const QUIET_CPU_MS = 20;
/** Thalweg inserts samples each two seconds, and looks twice a second whether it is time to. */
const QUIET_STEPS_MIN = 14;
const QUIET_STEPS_MAX = 40;

/** What it does behind the acknowledgement is its work too, and must not disturb the next one. */
async function untilQuiet(store: MetricStore): Promise<void> {
  for (let step = 0; step < QUIET_STEPS_MAX; step += 1) {
    const before = store.cpuMs();
    await sleep(QUIET_STEP_MS);
    // The first looks may be before the flush.
    if (step >= QUIET_STEPS_MIN && store.cpuMs() - before <= QUIET_CPU_MS) return;
  }
}

async function queryRows(
  stores: readonly MetricStore[],
  load: MetricLoad,
  { name, query, isRange }: QueryCase,
  repeats: number,
  signal: AbortSignal,
): Promise<BenchRow[]> {
  const scrapes = Math.min(load.scrapes, QUERY_SCRAPES);
  const firstMs = load.startMs + (load.scrapes - scrapes) * SCRAPE_MS;
  const startMs = firstMs + ODD_MS;
  const endMs = startMs + (scrapes - 1) * SCRAPE_MS;
  const range = { start: String(startMs / 1e3), end: String(endMs / 1e3), step: '15' };
  const times = new Map(stores.map((store) => [store.name, [] as number[]]));
  const answers = new Map<string, string>();
  for (let repeat = -1; repeat < repeats && !signal.aborted; repeat += 1) {
    for (const store of stores) {
      const begunMs = performance.now();
      const answer = isRange
        ? await store.query('query_range', { query, ...range })
        : await store.query('query', { query, time: range.end });
      answers.set(store.name, answer);
      // The first one warms up.
      if (repeat >= 0) times.get(store.name)?.push(performance.now() - begunMs);
    }
  }
  const median_: PerStore = new Map([...times].map(([store, list]) => [store, median(list)]));
  return [
    ...compared(name, { metric: 'latency_ms', unit: 'ms', ratio: 'latency_ratio' }, median_),
    {
      case: name,
      metric: 'largest_difference_to_prometheus',
      unit: 'relative',
      value: largestDifference(
        answers.get('thalweg') ?? '',
        answers.get('prometheus') ?? '',
        load.startMs / 1e3 + WINDOW_S,
      ),
      reference: 1e-9,
    },
  ];
}

async function diskRows(stores: readonly MetricStore[], samples: number): Promise<BenchRow[]> {
  const bytes: PerStore = new Map();
  for (const store of stores) bytes.set(store.name, (await store.diskBytes()) / samples);
  const what = { metric: 'bytes_per_sample', unit: 'bytes', ratio: 'bytes_ratio' };
  return compared('ingest', what, bytes);
}

/** Ours, each other one's, and ours ÷ theirs. */
function compared(
  name: string,
  { metric, unit, ratio }: { metric: string; unit: string; ratio: string },
  values: PerStore,
): BenchRow[] {
  const ours = values.get('thalweg') ?? Number.NaN;
  const others = [...values].filter(([store]) => store !== 'thalweg');
  return [
    { case: name, metric, unit, value: ours },
    ...others.flatMap(([store, value]) => [
      { case: name, metric: `${metric}_of_${store}`, unit, value },
      {
        case: name,
        metric: `${ratio}_to_${store}`,
        unit: 'ratio',
        value: ours / value,
        reference: value,
        ratio: ours / value,
      },
    ]),
  ];
}

interface Answer {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
      readonly values?: readonly (readonly [number, string])[];
    }[];
  };
}

/**
 * Between two answers, relative to the larger value; infinite when series or points differ. From
 * `fromS` on: while the series are younger than the window, 3 and 2.42 extrapolate differently.
 */
function largestDifference(one: string, other: string, fromS: number): number {
  const read = (text: string): Map<string, readonly (readonly [number, string])[]> => {
    const { data } = JSON.parse(text) as Answer; // Both speak Prometheus's API.
    return new Map(
      data.result.map(({ metric, value, values }) => [
        JSON.stringify(Object.entries(metric).sort()),
        values ?? (value === undefined ? [] : [value]),
      ]),
    );
  };
  const [left, right] = [read(one), read(other)];
  if (left.size !== right.size) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const [labels, points] of left) {
    const others = right.get(labels);
    if (others?.length !== points.length) return Number.POSITIVE_INFINITY;
    for (const [at, [timeS, text]] of points.entries()) {
      if (timeS < fromS) continue;
      const [value, against] = [Number(text), Number(others[at]?.[1])];
      if (value === against) continue;
      largest = Math.max(
        largest,
        Math.abs(value - against) / Math.max(Math.abs(value), Math.abs(against)),
      );
    }
  }
  return largest;
}
