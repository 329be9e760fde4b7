import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createIntegration } from '@thalweg/integration';
import { type OtlpGroup, otlpGroup } from './otlp-payload.ts';
import { type Bench, type BenchOptions, type BenchRow, median } from './report.ts';
import { sizeAfterMerges } from './server-load.ts';
import { type BenchServer, startServer } from './server-process.ts';

/**
 * OTLP spans from HTTP to rows that a query sees, with a query running all the time; then the same
 * while the store's child or the server is killed with -9. Sender, server and store share the cores.
 */
/** A body a service: 256 spans of the gateway, 512 of orders, 256 of stock. */
const TRACES_PER_GROUP = 128;
/** 32,768 spans whose bodies differ: more than one compressed block holds. */
const GROUPS = 32;
/** Groups under way at one time: fifteen requests, as of two collectors with their default queues. */
const SENDERS = 5;
const QUERY_EVERY_MS = 500;
const VISIBLE_MS_MAX = 60_000;
const BETWEEN_KILLS_MS = 1_500;
const WANTED_PER_S = 80_000;
const WANTED_BYTES = 60;

export const otlp: Bench = async ({ isQuick, signal, progress }) => {
  const rows = await decodeRows(isQuick);
  progress(`decode: ${Math.round(rows[0]?.value ?? 0)} spans/s`);
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-otlp-'));
  const server = await startServer(join(folder, 'data'));
  try {
    const seconds = isQuick ? 1 : 20;
    const load = startLoad(server.url);
    const queries = startQueries(server.url);
    await sleep(seconds * 1_000, undefined, { signal }).catch(() => undefined);
    const sent = await load.stop();
    const { visible } = await settled(server.url, sent);
    const elapsedS = load.elapsedMs() / 1e3;
    const p95 = await queries.stop();
    const folderBytes = bytesOf(join(folder, 'data')) / Math.max(1, visible);
    const bytes = (await sizeAfterMerges(server.url)).bytes / Math.max(1, visible);
    const row = { case: 'http-to-visible' };
    const speed = sent / elapsedS;
    progress(`http-to-visible: ${Math.round(speed)} spans/s, ${sent - visible} lost`);
    rows.push(
      {
        ...row,
        metric: 'spans_per_s',
        unit: '1/s',
        value: speed,
        reference: WANTED_PER_S,
        ratio: speed / WANTED_PER_S,
      },
      { ...row, metric: 'lost', unit: 'spans', value: Math.max(0, sent - visible), reference: 0 },
      {
        ...row,
        metric: 'bytes_per_span',
        unit: 'bytes',
        value: bytes,
        reference: WANTED_BYTES,
        ratio: bytes / WANTED_BYTES,
      },
      // With the store's own logs, and parts that were merged and are taken away after minutes.
      { ...row, metric: 'folder_bytes_per_span', unit: 'bytes', value: folderBytes },
      { ...row, metric: 'query_p95_ms', unit: 'ms', value: p95 },
      { ...row, metric: 'refused_503', unit: 'requests', value: load.refused() },
    );
    for (const victim of ['store-child', 'server'] as const) {
      rows.push(...(await killRows(server, victim, isQuick ? 1 : 5, { signal, progress })));
    }
    return rows;
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Spans that were acknowledged while the victim was killed time and again, against those stored. */
async function killRows(
  server: BenchServer,
  victim: 'store-child' | 'server',
  kills: number,
  { signal, progress }: Pick<BenchOptions, 'signal' | 'progress'>,
): Promise<BenchRow[]> {
  const before = (await settled(server.url, 0)).visible;
  const load = startLoad(server.url);
  for (let kill = 0; kill < kills && !signal.aborted; kill += 1) {
    await sleep(BETWEEN_KILLS_MS);
    await server.kill(victim);
    progress(`${victim}: ${kill + 1} of ${kills} kills survived`);
  }
  const acknowledged = await load.stop();
  const after = await settled(server.url, before + acknowledged);
  const lost = Math.max(0, before + acknowledged - after.visible);
  const row = { case: `kill-${victim}` };
  return [
    { ...row, metric: 'kills', unit: 'kills', value: kills },
    { ...row, metric: 'acknowledged', unit: 'spans', value: acknowledged },
    { ...row, metric: 'lost', unit: 'spans', value: lost, reference: 0 },
  ];
}

/** Bytes to encoded blocks in this process, with a sink that throws them away. */
async function decodeRows(isQuick: boolean): Promise<BenchRow[]> {
  const integration = createIntegration({
    sink: { fillsDefaults: true, keep: async () => ({ status: 'kept' }) },
    token: undefined,
    agent: '',
    instance: 1,
    now: Date.now,
    limits: { flushMs: 0 },
  });
  const traces = integration.methods.find(({ name }) => name === 'otlp_traces');
  if (traces === undefined) throw new Error('BUG: no method takes spans');
  const groups = makeGroups();
  const bodies = groups.flatMap((group) => group.bodies);
  const spans = groups.reduce((sum, group) => sum + group.spans, 0);
  const speeds: number[] = [];
  for (let run = 0; run < (isQuick ? 1 : 7); run += 1) {
    for (const group of groups) group.renew(Date.now());
    const startMs = performance.now();
    const answers = await Promise.all(bodies.map((bytes) => traces.handle(bytes)));
    speeds.push(spans / ((performance.now() - startMs) / 1e3));
    if (answers.some(({ code }) => code !== 0)) throw new Error('a good payload was refused');
  }
  await integration.close();
  return [{ case: 'decode', metric: 'spans_per_s', unit: '1/s', value: median(speeds) }];
}

function makeGroups(): OtlpGroup[] {
  return Array.from({ length: GROUPS }, (_, seed) => otlpGroup(TRACES_PER_GROUP, seed + 1));
}

/** Senders that post as fast as they are answered, and come back later when told to. */
function startLoad(url: string) {
  const agent = new Agent({ keepAlive: true });
  const startMs = performance.now();
  let isStopping = false;
  let acknowledged = 0;
  let refused = 0;
  const free = makeGroups();
  const sendBody = async (body: Buffer): Promise<void> => {
    for (;;) {
      const status = await post(`${url}/v1/traces`, body, agent).catch(() => 0);
      if (status === 200) return;
      if (status >= 400 && status < 500) throw new Error(`a good payload: ${status}`);
      refused += status === 503 ? 1 : 0;
      await sleep(50);
    }
  };
  const send = async (): Promise<void> => {
    for (let group = free.shift(); group !== undefined && !isStopping; group = free.shift()) {
      group.renew(Date.now());
      await Promise.all(group.bodies.map(sendBody));
      acknowledged += group.spans;
      free.push(group);
    }
  };
  const running = Promise.all(Array.from({ length: SENDERS }, send));
  return {
    /** Answers the spans that were acknowledged. */
    stop: async (): Promise<number> => {
      isStopping = true;
      await running;
      agent.destroy();
      return acknowledged;
    },
    elapsedMs: () => performance.now() - startMs,
    refused: () => refused,
  };
}

function post(url: string, body: Buffer, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
    const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const QUERY = `SELECT app_service, Count(row) AS n, Max(response_duration) AS longest
  FROM l7_flow_log GROUP BY app_service`;

function startQueries(url: string) {
  let isStopping = false;
  const times: number[] = [];
  const ask = async (): Promise<void> => {
    while (!isStopping) {
      const startMs = performance.now();
      await query(url, QUERY);
      times.push(performance.now() - startMs);
      await sleep(QUERY_EVERY_MS);
    }
  };
  const running = ask();
  return {
    /** Answers the 95th percentile of the queries' times, ms. */
    stop: async (): Promise<number> => {
      isStopping = true;
      await running;
      times.sort((a, b) => a - b);
      return times[Math.min(times.length - 1, Math.floor(times.length * 0.95))] ?? Number.NaN;
    },
  };
}

async function query(url: string, sql: string): Promise<number[]> {
  const answer = await fetch(`${url}/v1/query/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql }),
  });
  const told = (await answer.json()) as { result: { values: unknown[][] } | null }; // Our own.
  if (told.result === null) throw new Error(JSON.stringify(told));
  return (told.result.values[0] ?? []).map(Number);
}

/** Waits until `wanted` spans are seen, or for a minute. Spans sent twice count once. */
async function settled(url: string, wanted: number): Promise<{ visible: number }> {
  const deadline = Date.now() + VISIBLE_MS_MAX;
  for (;;) {
    // Spans sent twice are rows too: as many rows as spans may be there before the last ones.
    const [rows = 0] = await query(url, 'SELECT Count(row) AS n FROM l7_flow_log');
    const isOver = Date.now() > deadline;
    if (rows >= wanted || isOver) {
      const [visible = 0] = await query(url, 'SELECT UniqExact(span_id) AS n FROM l7_flow_log');
      if (visible >= wanted || isOver) return { visible };
    }
    await sleep(50);
  }
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('/spool'))
    .reduce((sum, entry) => sum + sizeOf(join(entry.parentPath, entry.name)), 0);
}

/** A merge may have ended meanwhile, and taken its files away. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
