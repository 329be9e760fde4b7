import { setTimeout as sleep } from 'node:timers/promises';
import { makeRunFolder } from '@thalweg/demo';
import { FEW_ROUTES, GATEWAY_CASES, type GatewayCase, wrkWords } from './gateway-cases.ts';
import { type GatewayLab, openGatewayLab } from './gateway-lab.ts';
import { type GatewaySubject, startGatewaySubject } from './gateway-subject.ts';
import { fixedRate, saturate } from './load.ts';
import { residentMb, scheduledUs, threadsScheduledUs } from './process-use.ts';
import { type Bench, type BenchOptions, type BenchRow, median } from './report.ts';

/**
 * What the gateway costs beside Debian's nginx as a keep-alive proxy: both on the same core, slots by
 * turns, ratios within a round; load and upstream on the other core.
 */
const CONNECTIONS = [16, 64] as const;
/** Half of what the slowest case takes, so that latency is not a queue's. */
const FIXED_RATE_PER_S = 2_000;
const FIXED_CONNECTIONS = 64;
/** A collector that is behind gets so long to take the last spans. */
const SPANS_MS_MAX = 20_000;
/** Requests that the end of the load has cut are counted by then. */
const SETTLE_MS = 200;
/** Of nginx's CPU a request. Bare: the bar; with plugins: half of what a real APISIX 3.18 took. */
const CPU_RATIO_WANTED: Readonly<Record<string, number>> = {
  bare: 1.2,
  prometheus: 1.5,
  'prometheus+limit-count': 2.2,
  opentelemetry: 2.15,
};

interface Slot {
  readonly qps: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Rounds {
  readonly gateway: readonly Slot[];
  readonly nginx: readonly Slot[];
}

interface Lane {
  readonly port: number;
  usedUs(): number;
  readonly words: readonly string[];
}

export const gateway: Bench = async (options) => {
  const chosen = chosenCases(options);
  const temporary = makeRunFolder('gateway');
  const rows: BenchRow[] = [];
  try {
    const lab = await openGatewayLab();
    try {
      for (const one of chosen) {
        if (options.signal.aborted) break;
        rows.push(...(await caseRows(temporary.path, lab, one, options)));
      }
    } finally {
      await lab.close();
    }
  } finally {
    temporary.remove();
  }
  return rows;
};

function chosenCases({ cases, isQuick }: BenchOptions): readonly GatewayCase[] {
  if (cases === undefined || cases.length === 0) {
    return isQuick ? GATEWAY_CASES.filter(({ spans }) => spans > 0) : GATEWAY_CASES;
  }
  const chosen = GATEWAY_CASES.filter(({ name }) => cases.some((one) => name.startsWith(one)));
  if (chosen.length > 0) return chosen;
  const names = GATEWAY_CASES.map(({ name }) => name).join(', ');
  throw new Error(`no case begins with ${cases.join(' or ')}; there are: ${names}`);
}

async function caseRows(
  folder: string,
  lab: GatewayLab,
  one: GatewayCase,
  options: BenchOptions,
): Promise<readonly BenchRow[]> {
  const { isQuick, signal, progress } = options;
  const { core, originPort, sink } = lab;
  const started = { core, objects: one.objects(originPort), sinkPort: sink.port };
  const spansBefore = sink.spans();
  const subject = await startGatewaySubject(folder, started);
  try {
    const words = wrkWords(folder, one);
    const lane = laneOf(subject, words);
    const nginx: Lane = {
      port: lab.nginx.port,
      usedUs: () => scheduledUs(lab.nginx.worker),
      words,
    };
    await measure(lane, 16, isQuick ? 1 : 2); // So that what is hot is compiled.
    const loads = options.connections ?? (isQuick ? [16] : CONNECTIONS);
    const rows: BenchRow[] = [];
    for (const [at, connections] of loads.entries()) {
      const rounds = await roundsOf({ lane, nginx }, connections, options);
      // The first load has the case's own name.
      const name = at === 0 ? one.name : `${one.name}-c${connections}`;
      const shown = rowsOf(name, rounds);
      progress(`${name}: ${shown[0]?.value.toFixed(2)} of nginx's CPU a request`);
      rows.push(...shown);
    }
    if (one.routes > 0) rows.push(...(await routeRows(folder, lab, one, { subject, options })));
    else if (!signal.aborted) rows.push(...(await addedRows(one, subject.port, lab, isQuick)));
    if (one.spans > 0) {
      const received = (): number => sink.spans() - spansBefore;
      const wanted = async (): Promise<number> => (await subject.requests()) * one.spans;
      const lost = await spansLost(received, wanted);
      rows.push({ case: one.name, metric: 'spans_lost', unit: 'spans', value: lost });
      rows.push({ case: one.name, metric: 'spans', unit: 'spans', value: received() });
    }
    return rows;
  } finally {
    await subject.close();
  }
}

function laneOf({ port, pid }: GatewaySubject, words: readonly string[]): Lane {
  return { port, words, usedUs: () => threadsScheduledUs(pid) };
}

async function roundsOf(
  { lane, nginx }: { readonly lane: Lane; readonly nginx: Lane },
  connections: number,
  { isQuick, signal }: BenchOptions,
): Promise<Rounds> {
  const slots: { gateway: Slot[]; nginx: Slot[] } = { gateway: [], nginx: [] };
  const seconds = isQuick ? 1 : 2;
  const rounds = isQuick ? 1 : 6;
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0 && signal.aborted) break;
    const order =
      round % 2 === 0 ? (['nginx', 'gateway'] as const) : (['gateway', 'nginx'] as const);
    for (const which of order) {
      slots[which].push(await measure(which === 'nginx' ? nginx : lane, connections, seconds));
    }
  }
  return slots;
}

async function measure(lane: Lane, connections: number, seconds: number): Promise<Slot> {
  const before = lane.usedUs();
  const load = await saturate(`http://127.0.0.1:${lane.port}/`, connections, seconds, lane.words);
  const used = lane.usedUs() - before;
  if (load.errors > 0) throw new Error(`${load.errors} of ${load.requests} requests failed`);
  const { requests, p50Ms, p99Ms } = load;
  return { qps: requests / load.seconds, cpuUs: used / requests, p50Ms, p99Ms };
}

function rowsOf(name: string, { gateway: own, nginx }: Rounds): BenchRow[] {
  const of = (slots: readonly Slot[], metric: keyof Slot): number =>
    median(slots.map((slot) => slot[metric]));
  // Within a round: what else the machine does then weighs on both alike.
  const ratio = (metric: keyof Slot): number =>
    median(own.map((slot, at) => slot[metric] / (nginx[at]?.[metric] ?? Number.NaN)));
  const wanted = CPU_RATIO_WANTED[name];
  const row = (metric: string, unit: string, key: keyof Slot): BenchRow => ({
    case: name,
    metric,
    unit,
    value: of(own, key),
    reference: of(nginx, key),
    ratio: of(own, key) / of(nginx, key),
  });
  return [
    {
      case: name,
      metric: 'cpu_ratio_to_nginx',
      unit: 'ratio',
      value: ratio('cpuUs'),
      ...(wanted === undefined ? {} : { reference: wanted, ratio: ratio('cpuUs') / wanted }),
    },
    { case: name, metric: 'qps_ratio_to_nginx', unit: 'ratio', value: ratio('qps') },
    row('p50_ms', 'ms', 'p50Ms'),
    row('p99_ms', 'ms', 'p99Ms'),
    row('cpu_us_per_request', 'µs', 'cpuUs'),
    row('qps', '1/s', 'qps'),
  ];
}

/** What many routes cost beside ten: CPU a request, by turns, and memory. */
async function routeRows(
  folder: string,
  { core, originPort, sink }: GatewayLab,
  one: GatewayCase,
  { subject, options }: { readonly subject: GatewaySubject; readonly options: BenchOptions },
): Promise<BenchRow[]> {
  const objects = FEW_ROUTES.objects(originPort);
  const few = await startGatewaySubject(folder, { core, objects, sinkPort: sink.port });
  try {
    const lanes = {
      lane: laneOf(subject, wrkWords(folder, one)),
      nginx: laneOf(few, wrkWords(folder, FEW_ROUTES)),
    };
    await measure(lanes.nginx, 16, options.isQuick ? 1 : 2);
    const { gateway: many, nginx: ten } = await roundsOf(lanes, 16, options);
    const differences = many.map(({ cpuUs }, at) => cpuUs - (ten[at]?.cpuUs ?? Number.NaN));
    const rssMb = residentMb(subject.pid);
    const fewMb = residentMb(few.pid);
    const row = { case: one.name };
    return [
      { ...row, metric: 'cpu_added_us', unit: 'µs', value: median(differences) },
      {
        ...row,
        metric: 'rss_mb',
        unit: 'MB',
        value: rssMb,
        reference: fewMb,
        ratio: rssMb / fewMb,
      },
    ];
  } finally {
    await few.close();
  }
}

/** Latency that the gateway adds at a fixed rate (open loop) to what nginx takes. */
async function addedRows(
  { name, headers }: GatewayCase,
  port: number,
  { nginx }: GatewayLab,
  isQuick: boolean,
): Promise<BenchRow[]> {
  const added: { p50: number[]; p99: number[] } = { p50: [], p99: [] };
  let unsent = 0;
  for (let round = 0; round < (isQuick ? 1 : 4); round += 1) {
    const at: { p50: number; p99: number }[] = [];
    const ports = [nginx.port, port];
    for (const one of round % 2 === 0 ? ports : ports.toReversed()) {
      const load = await fixedRate({
        port: one,
        headers,
        perSecond: FIXED_RATE_PER_S,
        connections: FIXED_CONNECTIONS,
        seconds: isQuick ? 1 : 2,
      });
      const sorted = load.latenciesUs.toSorted();
      unsent += load.unsent;
      const value = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? NaN;
      at[one === port ? 1 : 0] = { p50: value(0.5), p99: value(0.99) };
    }
    for (const which of ['p50', 'p99'] as const) {
      added[which].push((at[1]?.[which] ?? NaN) - (at[0]?.[which] ?? NaN));
    }
  }
  return [
    { case: name, metric: 'added_p50_us', unit: 'µs', value: median(added.p50) },
    { case: name, metric: 'added_p99_us', unit: 'µs', value: median(added.p99) },
    { case: name, metric: 'unsent', unit: 'requests', value: unsent },
    // A machine so busy that nothing was answered has no latency to tell.
  ].filter(({ value }) => !Number.isNaN(value));
}

/** Waits until all are there: 0, or how many were not at the end of the time. */
async function spansLost(received: () => number, wanted: () => Promise<number>): Promise<number> {
  const deadline = Date.now() + SPANS_MS_MAX;
  await sleep(SETTLE_MS);
  while (received() < (await wanted()) && Date.now() < deadline) await sleep(100);
  return (await wanted()) - received();
}
