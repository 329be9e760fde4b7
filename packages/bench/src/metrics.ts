import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MetricLoad, metricLoad, SCRAPE_MS } from './metric-payloads.ts';
import { METRIC_STORES, type MetricStore, startMetricStore } from './metric-store.ts';
import { type Bench, type BenchRow, median } from './report.ts';

/**
 * The same remote-write bodies into Thalweg, Prometheus and VictoriaMetrics, in slices by turns, and
 * the same queries by turns: 10,000 series of seven labels, each 15 s, one hour. Ingest counts until
 * acknowledged; CPU until the store is quiet again. Ratios below one are better for latency, above
 * one for rate.
 */
const FULL = { series: 10_000, scrapes: 240, slices: 8, repeats: 7 };
const QUICK = { series: 2_000, scrapes: 24, slices: 2, repeats: 2 };

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
  const load = metricLoad(size.series, size.scrapes, Date.now());
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-bench-'));
  const stores: MetricStore[] = [];
  try {
    for (const kind of METRIC_STORES) {
      stores.push(await startMetricStore(kind, join(folder, kind.name)));
    }
    const rows: BenchRow[] = [];
    rows.push(...(await ingestRows(stores, load, size.slices, progress, signal)));
    for (const one of QUERIES) {
      rows.push(...(await queryRows(stores, load, one, size.repeats, signal)));
      progress(`${one.name}: done`);
    }
    rows.push(...(await diskRows(stores, load)));
    return rows;
  } finally {
    for (const store of stores) await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

type PerStore = Map<MetricStore['name'], number>;

async function ingestRows(
  stores: readonly MetricStore[],
  load: MetricLoad,
  slices: number,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<BenchRow[]> {
  const rates = new Map(stores.map(({ name }) => [name, [] as number[]]));
  const cpu = new Map(stores.map(({ name }) => [name, 0]));
  const perSlice = Math.ceil(load.scrapes / slices);
  for (let slice = 0; slice < slices && !signal.aborted; slice += 1) {
    const scrapes = load.bodies.slice(slice * perSlice, (slice + 1) * perSlice);
    // Another one begins each time.
    for (let turn = 0; turn < stores.length; turn += 1) {
      const store = stores[(slice + turn) % stores.length];
      if (store === undefined) continue;
      const cpuBefore = store.cpuMs();
      const startMs = performance.now();
      await send(store, scrapes);
      const seconds = (performance.now() - startMs) / 1e3;
      rates.get(store.name)?.push((scrapes.length * load.series) / seconds);
      await untilQuiet(store);
      cpu.set(store.name, (cpu.get(store.name) ?? 0) + store.cpuMs() - cpuBefore);
    }
    progress(`ingest: slice ${slice + 1} of ${slices}`);
  }
  const samples = load.series * load.scrapes;
  const rate: PerStore = new Map([...rates].map(([name, list]) => [name, median(list)]));
  const cpuUs: PerStore = new Map([...cpu].map(([name, ms]) => [name, (ms * 1e3) / samples]));
  return [
    ...compared('ingest', { metric: 'samples_per_s', unit: '1/s', ratio: 'rate_ratio' }, rate),
    ...compared('ingest', { metric: 'cpu_us_per_sample', unit: 'µs', ratio: 'cpu_ratio' }, cpuUs),
  ];
}

/** Groups at the same time, each group's bodies in order: as the shards of a sender do. */
async function send(store: MetricStore, scrapes: MetricLoad['bodies']): Promise<void> {
  const groups = scrapes[0]?.length ?? 0;
  const one = async (group: number): Promise<void> => {
    for (const bodies of scrapes) {
      const body = bodies[group];
      if (body !== undefined) await store.write(body);
    }
  };
  await Promise.all(Array.from({ length: groups }, (_, group) => one(group)));
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
  const startMs = load.startMs + ODD_MS;
  const endMs = startMs + (load.scrapes - 1) * SCRAPE_MS;
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

async function diskRows(stores: readonly MetricStore[], load: MetricLoad): Promise<BenchRow[]> {
  const bytes: PerStore = new Map();
  for (const store of stores) {
    bytes.set(store.name, (await store.diskBytes()) / (load.series * load.scrapes));
  }
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
