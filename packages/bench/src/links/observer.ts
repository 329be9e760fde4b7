import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { AgentSettings, startAgent } from '@thalweg/agent';
import { l7FlowLog, readBlock } from '@thalweg/model';
import { recordsOf, type SpanRecord } from './span-record.ts';

export interface Observation {
  readonly records: readonly SpanRecord[];
  readonly lostEvents: number;
}

/** A real agent in this process whose rows come back as records. */
export interface Observer {
  /** What was decided since the last call, once nothing new has come for a while. */
  take(): Promise<Observation>;
  close(): Promise<void>;
}

const FLUSH_MS = 100;
const RING_BYTES = 128 * 2 ** 20;
/** Longer than the resolver holds a call back, which is a second. */
const QUIET_MS = 1_500;
const WAIT_MS_MAX = 15_000;

/** `lossShare`: of the kernel's events, left out before the agent looks at them. */
export async function startObserver(lossShare = 0): Promise<Observer> {
  let records: SpanRecord[] = [];
  let lostBefore = 0;
  const sink = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const isGzip = request.headers['content-encoding'] === 'gzip';
      const read = readBlock(l7FlowLog, isGzip ? gunzipSync(body) : body, { columns: 'agent' });
      if (read.kind === 'block') records.push(...recordsOf(read.block));
      response.writeHead(read.kind === 'block' ? 200 : 400).end();
    });
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  const { port } = sink.address() as AddressInfo; // A TCP server's address is one.
  const spoolDir = mkdtempSync(join(tmpdir(), 'thalweg-links-spool-'));
  const agent = await startAgent(
    AgentSettings.parse({
      name: 'links',
      server_url: `http://127.0.0.1:${port}`,
      spool_dir: spoolDir,
      status_port: 0,
      flush_ms: FLUSH_MS,
      // What is measured is the linking: a lost event would make it look worse than it is.
      ring_bytes: RING_BYTES,
      priority: 'normal',
      cpu_budget_cores: 64,
      cpu_busy_share: 1,
      ports_excluded: [port],
    }),
    { lossShare },
  );

  async function take(): Promise<Observation> {
    const deadline = Date.now() + WAIT_MS_MAX;
    let count = -1;
    // A busy machine may take long for the first rows; after them they come steadily.
    while ((records.length === 0 || records.length !== count) && Date.now() < deadline) {
      count = records.length;
      await sleep(QUIET_MS);
    }
    const lost = agent.status().counters['lost_events'] ?? 0;
    const taken = { records, lostEvents: lost - lostBefore };
    records = [];
    lostBefore = lost;
    return taken;
  }

  return {
    take,
    close: async () => {
      await agent.close();
      sink.close();
      rmSync(spoolDir, { recursive: true, force: true });
    },
  };
}
