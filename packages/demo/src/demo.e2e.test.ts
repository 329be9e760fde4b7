import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { startDemo } from './demo.ts';

function left(prefix: string): string[] {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  return [...stdout.split('\n'), ...readdirSync(tmpdir())].filter((name) =>
    name.startsWith(prefix),
  );
}

function isRunning(pid: number): boolean {
  return spawnSync('kill', ['-0', String(pid)]).status === 0;
}

test('200 requests pass through gateway and services; after close everything is gone', async () => {
  const demo = await startDemo();
  const report = await demo.drive(200, 8);
  expect(report.statuses).toEqual({ 200: 130, 201: 40, 404: 20, 500: 10 });
  expect(left(demo.prefix)).toHaveLength(6);
  await demo.close();
  await demo.close();
  expect(left(demo.prefix)).toEqual([]);
  expect(demo.processes.filter(({ pid }) => isRunning(pid))).toEqual([]);
});

test('what a killed run left is gone when the next one has started', async () => {
  const index = new URL('./index.ts', import.meta.url).href;
  const program = `import { startDemo } from '${index}';
    const demo = await startDemo(); console.log(demo.prefix); setInterval(() => {}, 1000);`;
  const flags = ['--conditions=@thalweg/source', '--import=tsx', '--input-type=module'];
  const killed = spawn(process.execPath, [...flags, '-e', program]);
  const prefix = await new Promise<string>((resolve) => {
    killed.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
  const ended = new Promise((resolve) => killed.once('exit', resolve));
  killed.kill('SIGKILL');
  await ended;
  expect(left(prefix)).not.toEqual([]);
  const demo = await startDemo({ upstreamKeepalive: 0 });
  const report = await demo.drive(20, 2);
  await demo.close();
  expect(report.requests).toBe(20);
  expect(left(prefix)).toEqual([]);
});
