import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { commandPath } from './command-path.ts';
import { makeRunFolder } from './run-folder.ts';

/** The folder that a process left which was killed: its number and start are nobody's now. */
function leftover(): string {
  const { pid } = spawnSync('true');
  const path = join(tmpdir(), `thalweg-${pid}x1-bench-abc123`);
  mkdirSync(path);
  writeFileSync(join(path, 'file'), '');
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a new folder removes what killed processes left, and nothing of a living one', () => {
  const [dead, mine] = [leftover(), makeRunFolder('bench')];
  const other = makeRunFolder('bench');
  expect([dead, mine.path, other.path].map((path) => existsSync(path))).toEqual([
    false,
    true,
    true,
  ]);
  for (const folder of [mine, other, mine]) folder.remove();
  expect([mine.path, other.path].map((path) => existsSync(path))).toEqual([false, false]);
});

test('a command is found in PATH, in Debian’s folders for root, or not at all', () => {
  const folder = makeRunFolder('bench');
  onTestFinished(folder.remove);
  const [tool, text] = [join(folder.path, 'tool'), join(folder.path, 'text')];
  for (const file of [tool, text]) writeFileSync(file, '');
  chmodSync(tool, 0o755);
  chmodSync(text, 0o644);
  expect(commandPath('tool', `/nowhere::${folder.path}`)).toBe(tool);
  expect(commandPath('text', folder.path)).toBeUndefined();
  expect(commandPath('nologin', '')).toBe('/usr/sbin/nologin');
});
