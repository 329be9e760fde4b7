import { Agent, get } from 'node:http';
import { makeRunFolder } from '@thalweg/demo';
import { type Bench, type BenchRow, median } from './report.ts';
import { rowsVisible, sizeAfterMerges, traceTablesSize, upload } from './server-load.ts';
import { startServer } from './server-process.ts';
import { createShop, packed, ROWS_PER_REQUEST, type ShopTrace } from './shop-rows.ts';

/**
 * A trace by any id of one of its spans, without a time, among ten million rows of six hours: what
 * a link in a log line or a ticket asks for. Each look-up is the whole request over HTTP, to a server
 * in a process of its own.
 */
const ROWS = 10_000_000;
const ROWS_QUICK = 40_000;
const HOURS = 6;
const BATCH_ROWS = 50_000;
const BATCHES_A_ROUND = 20;
/** One in four requests carries a W3C trace id. */
const TRACE_ID_SHARE = 0.25;
const LOOKUPS = 60;
const LOOKUPS_QUICK = 4;
const WANTED_MS = 30;
const WANTED_BYTES_PER_ROW = 60;

const KINDS = {
  'span-id': ({ spanId }: ShopTrace) => spanId.toString(),
  'wire-id': ({ wireId }: ShopTrace) => wireId.toString(),
  'trace-id': ({ traceId }: ShopTrace) => traceId,
} as const;

export const traceLookup: Bench = async ({ isQuick, signal, progress }) => {
  const wanted = isQuick ? ROWS_QUICK : ROWS;
  const temporary = makeRunFolder('bench');
  const server = await startServer(temporary.path);
  const shop = createShop({
    seed: 3,
    startUs: (Date.now() / 1e3 - HOURS * 3_600) * 1e6,
    requestsPerS: wanted / ROWS_PER_REQUEST / (HOURS * 3_600),
    traceIdShare: TRACE_ID_SHARE,
  });
  const traces: ShopTrace[] = [];
  const speeds: number[] = [];
  let rows = 0;
  try {
    while (rows < wanted && !signal.aborted) {
      const uploads = [];
      let made = 0;
      for (let at = 0; at < BATCHES_A_ROUND && rows + made < wanted; at += 1) {
        const block = shop.block(Math.min(BATCH_ROWS, wanted / 4));
        uploads.push(await packed(block, `lookup-${rows}-${at}`));
        made += block.rows;
        traces.push(shop.lastTrace());
      }
      const startMs = performance.now();
      rows += await upload(server.url, uploads);
      const visible = await rowsVisible(server.url, rows);
      if (visible < rows) throw new Error(`${rows} rows sent, ${visible} to be seen`);
      speeds.push(made / ((performance.now() - startMs) / 1e3));
      progress(`${rows} of ${wanted} rows, ${Math.round(speeds.at(-1) ?? 0)} rows/s`);
    }
    const atOnce = await traceTablesSize(server.url);
    const merged = await sizeAfterMerges(server.url);
    const load = { case: 'load' };
    const results: BenchRow[] = [
      { ...load, metric: 'rows', unit: 'rows', value: rows },
      { ...load, metric: 'rows_per_s', unit: '1/s', value: median(speeds) },
      {
        ...load,
        metric: 'bytes_per_row',
        unit: 'bytes',
        value: merged.bytes / rows,
        reference: WANTED_BYTES_PER_ROW,
        ratio: merged.bytes / rows / WANTED_BYTES_PER_ROW,
      },
      {
        ...load,
        metric: 'bytes_per_row_before_merges',
        unit: 'bytes',
        value: atOnce.bytes / rows,
      },
    ];
    const times = await lookUp(server.url, traces, isQuick ? LOOKUPS_QUICK : LOOKUPS, signal);
    progress(`${times.length} look-ups`);
    results.push(...figures(times));
    return results;
  } finally {
    await server.close();
    temporary.remove();
  }
};

/** At most `count` of the values, evenly from first to last, `phase` (0 to 1) of a step further on. */
function spread(values: readonly string[], count: number, phase: number): string[] {
  const step = Math.max(1, values.length / count);
  const places = Array.from({ length: Math.min(count, values.length) }, (_, at) => at + phase);
  return places.map((place) => values[Math.floor(place * step)] ?? '');
}

interface Lookup {
  readonly kind: string;
  readonly ms: number;
}

/**
 * `count` look-ups of each kind, the kinds by turns: what one brings into memory, or into compiled
 * code, helps all of them alike. Each asks for traces of its own. Throws when an answer is not the
 * whole trace.
 */
async function lookUp(
  url: string,
  traces: readonly ShopTrace[],
  count: number,
  signal: AbortSignal,
): Promise<Lookup[]> {
  const times: Lookup[] = [];
  const agent = new Agent({ keepAlive: true });
  const kinds = Object.entries(KINDS).map(([kind, idOf], at, { length }) => {
    const ids = traces.map(idOf).filter((id) => id !== '');
    return { kind, ids: spread(ids, count, at / length) };
  });
  for (let at = 0; at < count && !signal.aborted; at += 1) {
    for (const { kind, ids } of kinds) {
      const id = ids[at];
      if (id !== undefined) times.push({ kind, ms: await msOf(url, id, agent) });
    }
  }
  agent.destroy();
  return times;
}

async function msOf(url: string, id: string, agent: Agent): Promise<number> {
  const startMs = performance.now();
  const answer = await textAt(`${url}/api/traces/${id}`, agent);
  const told = JSON.parse(answer) as { spans?: unknown[] }; // Our own server's.
  const ms = performance.now() - startMs;
  if (told.spans?.length === ROWS_PER_REQUEST) return ms;
  throw new Error(`trace of ${id}: ${told.spans?.length ?? answer} spans`);
}

/** By node:http: fetch costs the client a tenth of what the server takes. */
function textAt(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve(Buffer.concat(chunks).toString()));
    }).on('error', reject);
  });
}

function figures(times: readonly Lookup[]): BenchRow[] {
  const rows = Object.keys(KINDS).flatMap((kind): BenchRow[] => {
    const ofKind = times.filter((one) => one.kind === kind).map(({ ms }) => ms);
    const sorted = ofKind.sort((one, other) => one - other);
    const p50 = median(sorted);
    const p95 = sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN;
    const row = { case: kind, unit: 'ms' };
    return [
      { ...row, metric: 'p50_ms', value: p50, reference: WANTED_MS, ratio: p50 / WANTED_MS },
      { ...row, metric: 'p95_ms', value: p95 },
    ];
  });
  // The server has read no trace before: this one meets its files and its code cold.
  const first = times[0]?.ms ?? Number.NaN;
  return [...rows, { case: 'first', metric: 'ms', unit: 'ms', value: first }];
}
