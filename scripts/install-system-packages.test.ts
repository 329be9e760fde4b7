import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const script = fileURLToPath(new URL('install-system-packages.sh', import.meta.url));
const POLICY = '/usr/sbin/policy-rc.d';

/** A machine that has nothing but `commands` (name and shell text) and what the script itself uses. */
function run(commands: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-install-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, 'calls');
  for (const tool of ['mktemp', 'rm', 'chmod']) symlinkSync(`/usr/bin/${tool}`, join(folder, tool));
  for (const [name, text] of Object.entries(commands)) {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\necho "${name} $1" >>${log}\n${text}\n`);
    chmodSync(path, 0o755);
  }
  const { status, stdout, stderr } = spawnSync('/bin/sh', [script], {
    env: { PATH: folder, LOG: log },
    encoding: 'utf8',
  });
  const calls = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  return { status, stdout, stderr, apt: calls.filter((call) => call.startsWith('apt-get')) };
}

const ROOT = 'echo 0';
const INSTALLS = 'exit 0';
const NEVER_INSTALLS = '[ "$1" = update ]';
/** As on a fresh machine: packages are known once the lists are fetched. */
const INSTALLS_AFTER_UPDATE =
  'case $(while read -r line; do echo "$line"; done <"$LOG") in *update*) exit 0;; esac; exit 100';

test('each missing package is named with its reason', () => {
  const { stdout } = run({});
  expect(stdout).toContain('missing: clang (compiles the kernel programs)\n');
});

test.each([
  { name: 'no apt-get', commands: {}, status: 5, says: 'this machine has no apt-get', apt: [] },
  {
    name: 'no root',
    commands: { 'apt-get': INSTALLS, id: 'echo 1000' },
    status: 3,
    says: 'fix: sudo apt-get install --no-install-recommends clang',
    apt: [],
  },
  {
    name: 'root, and known packages',
    commands: { 'apt-get': INSTALLS, id: ROOT },
    status: 0,
    says: '',
    apt: ['apt-get install'],
  },
  {
    name: 'lists that were never fetched',
    commands: { 'apt-get': INSTALLS_AFTER_UPDATE, id: ROOT },
    status: 0,
    says: '',
    apt: ['apt-get install', 'apt-get update', 'apt-get install'],
  },
  {
    name: 'no mirror',
    commands: { 'apt-get': NEVER_INSTALLS, id: ROOT },
    status: 5,
    says: 'apt-get could not install: clang',
    apt: ['apt-get install', 'apt-get update', 'apt-get install'],
  },
])('$name: exit code $status', ({ commands, status, says, apt }) => {
  const hadPolicy = existsSync(POLICY);
  const ended = run(commands);
  expect([ended.status, ended.apt], ended.stderr).toEqual([status, apt]);
  expect(ended.stderr).toContain(says);
  // What was lent so that no service starts is given back.
  expect(existsSync(POLICY)).toBe(hadPolicy);
});
