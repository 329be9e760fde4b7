import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { RUNGS } from './ladder.ts';

/** The agent as it ships; the project's set-up has just built it. */
const CLI = fileURLToPath(new URL('../../../cli/dist/thalweg.js', import.meta.url));

type Kind = 'prog' | 'map' | 'link';
const KINDS: readonly Kind[] = ['prog', 'map', 'link'];

/** Ids of all that the kernel has of a kind. */
function inKernel(kind: Kind): Set<number> {
  const text = execFileSync('bpftool', ['-j', kind, 'show'], { encoding: 'utf8' });
  return new Set((JSON.parse(text) as { id: number }[]).map(({ id }) => id)); // bpftool's own.
}

/** Ids of what a process holds of a kind. Source: the fdinfo that the kernel's bpf files show. */
function heldBy(pid: number, kind: Kind): number[] {
  const folder = `/proc/${pid}/fdinfo`;
  return readdirSync(folder).flatMap((fd) => {
    const id = new RegExp(`^${kind}_id:\\s+(\\d+)`, 'm').exec(
      readFileSync(`${folder}/${fd}`, 'latin1'),
    );
    return id === null ? [] : [Number(id[1])];
  });
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
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, THALWEG_AGENT_RUNG: rung } },
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
