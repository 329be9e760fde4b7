import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AgentSettings } from './config.ts';
import { startCaller } from './kernel/capture-testing.ts';
import { RUNGS } from './kernel/ladder.ts';
import { startAgent } from './main.ts';

const ROUNDS = 3;

test.each(RUNGS)(
  'on rung %s an agent sees its neighbour, and neither end of its own',
  async (rung) => {
    let uploads = 0;
    // Both what the neighbour asks and where the agent sends to: in this process, as the agent is.
    const server = createServer((request, response) => {
      if (request.method === 'POST') uploads += 1;
      request.resume();
      request.on('end', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // A TCP server's address is one.
    const folder = mkdtempSync(join(tmpdir(), 'thalweg-own-'));
    const agent = await startAgent(
      AgentSettings.parse({
        server_url: `http://127.0.0.1:${port}`,
        spool_dir: folder,
        status_port: 0,
        flush_ms: 50,
        ports: [port],
        rung,
        priority: 'normal', // The test's own threads are in this process.
        cpu_busy_share: 1, // Nor does it look away on a busy machine.
      }),
    );
    onTestFinished(async () => {
      await agent.close();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    });
    expect(agent.status()).toMatchObject({ isAttached: true, rung });

    for (let round = 1; round <= ROUNDS; round += 1) {
      await startCaller(`import urllib.request
urllib.request.urlopen('http://127.0.0.1:${port}/').read()`).ended();
      await expect.poll(() => uploads, { timeout: 20_000 }).toBe(round);
    }
    // The uploads of all rounds but the last one are older than the last neighbour's request.
    const exchanges = (): number => agent.status().counters['flow.exchanges'] ?? 0;
    await expect.poll(exchanges, { timeout: 20_000 }).toBeGreaterThanOrEqual(ROUNDS);
    expect(exchanges()).toBe(ROUNDS);
  },
);
