import { setTimeout as sleep } from 'node:timers/promises';

/** A block of l7_flow_log, gzipped, under the name that its retries share. */
export interface Upload {
  readonly token: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly rows: number;
}

export interface StoredSize {
  readonly bytes: number;
  readonly parts: number;
}

const IN_FLIGHT = 4;
const VISIBLE_MS_MAX = 60_000;
const MERGES_MS_MAX = 60_000;
const QUIET_MS = 4_000;

/** Posts all uploads, a few at once; a refusal for now (503) is sent again. Answers the rows sent. */
export async function upload(url: string, uploads: readonly Upload[]): Promise<number> {
  let next = 0;
  let rows = 0;
  const post = async (): Promise<void> => {
    for (let one = uploads[next++]; one !== undefined; one = uploads[next++]) {
      for (;;) {
        const answer = await fetch(new URL('/api/ingest/l7_flow_log', url), {
          method: 'POST',
          body: one.body,
          headers: {
            'content-type': 'application/octet-stream',
            'content-encoding': 'gzip',
            'x-thalweg-agent': 'bench',
            'x-thalweg-token': one.token,
          },
        });
        const text = await answer.text();
        if (answer.ok) break;
        if (answer.status !== 503) throw new Error(`ingest answered ${answer.status}: ${text}`);
        await sleep(100);
      }
      rows += one.rows;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, post));
  return rows;
}

/** Waits until a query sees `wanted` rows; answers how many it sees in the end. */
export async function rowsVisible(url: string, wanted: number): Promise<number> {
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

/** What the tables of traces take: rows, index and aliases. */
export async function traceTablesSize(url: string): Promise<StoredSize> {
  const answer = await fetch(new URL('/api/status', url));
  // Our own server's.
  const { tables } = (await answer.json()) as { tables: (StoredSize & { table: string })[] };
  const ours = tables.filter(({ table }) => /^flow_log\.(l7_flow_log|trace_)/.test(table));
  return {
    bytes: ours.reduce((sum, { bytes }) => sum + bytes, 0),
    parts: ours.reduce((sum, { parts }) => sum + parts, 0),
  };
}

/** The same once the store has merged what it wanted to: its parts stay as they are. */
export async function sizeAfterMerges(url: string): Promise<StoredSize> {
  const deadline = Date.now() + MERGES_MS_MAX;
  let size = await traceTablesSize(url);
  for (let since = Date.now(); Date.now() < deadline && Date.now() - since < QUIET_MS; ) {
    await sleep(500);
    const now = await traceTablesSize(url);
    if (now.parts !== size.parts || now.bytes !== size.bytes) since = Date.now();
    size = now;
  }
  return size;
}
