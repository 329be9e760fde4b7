import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type BpfKind, bpftool, heldBy } from './capture-testing.ts';
import { RUNGS } from './ladder.ts';

/** The agent as it ships; the project's set-up has just built it. */
const CLI = fileURLToPath(new URL('../../../cli/dist/thalweg.js', import.meta.url));

const KINDS: readonly BpfKind[] = ['prog', 'map', 'link'];

/** Ids of all that the kernel has of a kind. */
function inKernel(kind: BpfKind): Set<number> {
  return new Set((bpftool(kind, 'show') as { id: number }[]).map(({ id }) => id)); // Its own shape.
}

test.each(RUNGS)(
  'nothing of an agent on rung %s is left in the kernel after SIGKILL',
  async (rung) => {
    const folder = mkdtempSync(join(tmpdir(), 'thalweg-killed-'));
    const agent = spawn(
      process.execPath,
      [
        CLI,
        'agent',
        '--spool-dir',
        folder,
        '--status-port',
        '0',
        '--server-url',
        'http://127.0.0.1:1',
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, THALWEG_AGENT_RUNG: rung, THALWEG_AGENT_NETWORK_SPANS: 'requests' },
      },
    );
    try {
      const exit = once(agent, 'exit');
      const [first] = await once(createInterface({ input: agent.stderr }), 'line');
      expect(first).toMatch(`capturing on rung ${rung};`);
      const held = KINDS.map((kind) => ({ kind, ids: heldBy(agent.pid ?? 0, kind) }));
      for (const { ids } of held) expect(ids).not.toEqual([]);
      agent.kill('SIGKILL');
      await exit;
      const left = (): number[] =>
        held.flatMap(({ kind, ids }) => {
          const now = inKernel(kind);
          return ids.filter((id) => now.has(id));
        });
      await expect.poll(left, { timeout: 10_000 }).toEqual([]);
    } finally {
      agent.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
