import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { createBatch, l7FlowLog, type RowOf } from '@thalweg/model';
import { ServerSettings, startServer } from '@thalweg/server';
import { type Bench, median } from './report.ts';

/** From an agent's batches over HTTP to rows that a query sees, with nothing acknowledged lost. */
const BATCH_ROWS = 10_000;
const IN_FLIGHT = 4;
const WANTED_PER_S = 80_000;
const WANTED_BYTES_PER_ROW = 60;
const VISIBLE_MS_MAX = 60_000;
const compress = promisify(gzip);

export const ingest: Bench = async ({ isQuick, signal, progress }) => {
  const runs = isQuick ? 1 : 5;
  const batchesPerRun = isQuick ? 2 : 30;
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-bench-'));
  const server = await startServer(ServerSettings.parse({ port: 0, data_dir: folder }), {
    version: 'bench',
    logLevel: 'silent',
  });
  try {
    const speeds: number[] = [];
    let sent = 0;
    let visible = 0;
    for (let run = 0; run < runs && !signal.aborted; run += 1) {
      const bodies: Buffer[] = [];
      for (let at = 0; at < batchesPerRun; at += 1) bodies.push(await body(run * 1_000 + at));
      const startMs = performance.now();
      sent += await send(server.url, run, bodies);
      visible = await rowsVisible(server.url, sent);
      const speed = (batchesPerRun * BATCH_ROWS) / ((performance.now() - startMs) / 1e3);
      speeds.push(speed);
      progress(`run ${run + 1} of ${runs}: ${Math.round(speed)} rows/s`);
    }
    const value = median(speeds);
    const bytes = bytesOf(folder) / Math.max(1, visible);
    const row = { case: 'http-to-visible' };
    return [
      {
        ...row,
        metric: 'rows_per_s',
        unit: '1/s',
        value,
        reference: WANTED_PER_S,
        ratio: value / WANTED_PER_S,
      },
      {
        ...row,
        metric: 'bytes_per_row',
        unit: 'bytes',
        value: bytes,
        reference: WANTED_BYTES_PER_ROW,
        ratio: bytes / WANTED_BYTES_PER_ROW,
      },
      { ...row, metric: 'lost', unit: 'rows', value: sent - visible, reference: 0 },
    ];
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Rows as a shop's gateway leaves them: few endpoints and hosts, ids that do not repeat. */
async function body(seed: number): Promise<Buffer> {
  const batch = createBatch(l7FlowLog);
  const random = generator(seed + 1);
  const nowUs = Date.now() * 1e3;
  for (let at = 0; at < BATCH_ROWS; at += 1) batch.push(row(random, nowUs - at * 37));
  return compress(batch.encode(), { level: 1 });
}

function row(random: () => number, startUs: number): RowOf<typeof l7FlowLog.columns> {
  const isServer = random() < 0.5;
  const order = Math.floor(random() * 9_000);
  const durationUs = Math.floor(200 + random() ** 4 * 50_000);
  const status = random() < 0.03 ? 500 : 200;
  const id = (): bigint =>
    (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32));
  const service = ['gateway', 'orders', 'stock', 'users'][Math.floor(random() * 4)] ?? 'gateway';
  return {
    _id: id(),
    time: Math.floor((startUs + durationUs) / 1e6),
    start_time: startUs,
    end_time: startUs + durationUs,
    flow_id: BigInt(Math.floor(random() * 500)),
    signal_source: 3,
    agent: 'bench',
    observation_point: isServer ? 's-p' : 'c-p',
    type: 2,
    host: `host-${service}`,
    container_id: '',
    netns: 4_026_531_840,
    ip_0: '10.0.0.1',
    ip_1: '10.0.0.2',
    client_port: 30_000 + Math.floor(random() * 500),
    server_port: 8_080,
    protocol: 6,
    req_tcp_seq: Math.floor(random() * 2 ** 32),
    resp_tcp_seq: Math.floor(random() * 2 ** 32),
    l7_protocol: 20,
    version: '1.1',
    is_tls: 0,
    is_async: 0,
    request_type: random() < 0.8 ? 'GET' : 'POST',
    request_domain: `${service}.internal:8080`,
    request_resource: `/${service}/${order}?currency=EUR`,
    request_id: 0n,
    endpoint: `/${service}/${order % 50}`,
    response_status: status === 500 ? 3 : 0,
    response_code: status,
    response_exception: status === 500 ? 'Internal Server Error' : '',
    response_result: '',
    app_service: service,
    app_instance: `host-${service}:${1_000 + Math.floor(random() * 4)}`,
    process_id_0: isServer ? 0 : 1_000,
    process_id_1: isServer ? 1_000 : 0,
    process_kname_0: isServer ? '' : 'node',
    process_kname_1: isServer ? 'node' : '',
    trace_id: '',
    span_id: '',
    parent_span_id: '',
    span_kind: 0,
    x_request_id_0: '',
    x_request_id_1: '',
    http_proxy_client: '',
    syscall_trace_id_request: BigInt(Math.floor(random() * 1e6)) << 20n,
    syscall_trace_id_response: 0n,
    syscall_thread_0: isServer ? 0 : 1_000,
    syscall_thread_1: isServer ? 1_000 : 0,
    attribute_names: ['http.request.header.accept', 'http.response.header.content-type'],
    attribute_values: ['*/*', 'application/json'],
    request_length: 0n,
    response_length: BigInt(Math.floor(random() * 4_000)),
    captured_request_byte: 180,
    captured_response_byte: 220,
    response_duration: BigInt(durationUs),
    wire_id: id(),
    parent_wire_id: isServer ? 0n : id(),
    link_probability: isServer ? 0 : 0.97,
    link_evidence: isServer ? 0 : 2,
    candidate_wire_ids: [],
    candidate_probabilities: [],
    is_lossy: 0,
  };
}

/** Posts all batches, a few at once; a refusal for now (503) is sent again. */
async function send(url: string, run: number, bodies: readonly Buffer[]): Promise<number> {
  let next = 0;
  let rows = 0;
  const post = async (): Promise<void> => {
    for (let at = next++; at < bodies.length; at = next++) {
      for (;;) {
        const answer = await fetch(new URL('/api/ingest/l7_flow_log', url), {
          method: 'POST',
          body: bodies[at] ?? null,
          headers: {
            'content-type': 'application/octet-stream',
            'content-encoding': 'gzip',
            'x-thalweg-agent': 'bench',
            'x-thalweg-token': `bench-${run}-${at}`,
          },
        });
        const text = await answer.text();
        if (answer.ok) break;
        if (answer.status !== 503) throw new Error(`ingest answered ${answer.status}: ${text}`);
        await sleep(100);
      }
      rows += BATCH_ROWS;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, post));
  return rows;
}

async function rowsVisible(url: string, wanted: number): Promise<number> {
  const deadline = Date.now() + VISIBLE_MS_MAX;
  for (;;) {
    const answer = await fetch(new URL('/v1/query/', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql: 'SELECT Count(row) AS n FROM l7_flow_log' }),
    });
    const told = (await answer.json()) as { result: { values: unknown[][] } }; // Our own server's.
    const rows = Number(told.result.values[0]?.[0]);
    if (rows >= wanted || Date.now() > deadline) return rows;
    await sleep(50);
  }
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('/spool'))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
