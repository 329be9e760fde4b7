import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const launcher = join(root, 'thalweg');

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `./thalweg` to its end, from another folder, as a user would. */
function thalweg(
  words: readonly string[],
  environment: Record<string, string> = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: tmpdir(), env: { ...process.env, ...environment }, timeout: 120_000 };
    const child = execFile(launcher, [...words], options, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A capture of the conformance set, which lies beside the checkout. */
function capture(name: string): string {
  const path = join(root, '../shared/conformance/pcaps', name);
  if (!existsSync(path)) throw new Error(`this test reads ${path}: put the shared folder there`);
  return path;
}

test.each(['A', 'B'])(
  'on rung %s the demo traces every request through the gateway as one complete tree',
  async (rung) => {
    const environment = { THALWEG_AGENT_RUNG: rung };
    const { status, stdout, stderr } = await thalweg(['demo', '--once', '--json'], environment);
    expect(status, stderr).toBe(0);
    const result: Record<string, number> = JSON.parse(stdout);
    expect(result).toMatchObject({ requests: 1_000, lostEvents: 0 });
    expect(result['completeTraces']).toBeGreaterThanOrEqual(990);
    expect(result['spans']).toBeGreaterThanOrEqual(5_600);
  },
);

test('replay prints one record for each request/response pair', async () => {
  const { status, stdout } = await thalweg(['replay', capture('http/sw8.pcap')]);
  expect(status).toBe(0);
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records).toHaveLength(3);
  expect(records[0]).toMatchObject({ method: 'POST', path: '/createOrder', status: 200 });
});

test('replay of something that is no capture says so, with its own exit code', async () => {
  const file = join(temporaryFolder(), 'noise.pcap');
  writeFileSync(file, 'this is no capture');
  const { status, stderr } = await thalweg(['replay', file]);
  expect(status).toBe(6);
  expect(stderr).toContain('code: bad_input');
});

test.each([
  { name: 'an unknown command', words: ['serve'], says: 'did you mean "server"?' },
  { name: 'an unknown option', words: ['demo', '--conections', '2'], says: '--connections?' },
  { name: 'a number that is none', words: ['demo', '--requests', 'many'], says: '--requests' },
  { name: 'a missing argument', words: ['replay'], says: 'FILE is missing' },
])('$name ends with code 2 and a hint', async ({ words, says }) => {
  const { status, stderr } = await thalweg(words);
  expect([status, stderr.includes(says)], stderr).toEqual([2, true]);
});

test('all mistakes of a configuration are named at once', async () => {
  const file = join(temporaryFolder(), 'thalweg.json');
  writeFileSync(file, JSON.stringify({ prot: 1, data_dir: 7 }));
  const { status, stderr } = await thalweg(['server', '--config', file]);
  expect(status).toBe(2);
  expect(stderr).toContain('unknown key "prot"; did you mean "port"?');
  expect(stderr).toContain('data_dir: ');
});

test('a port that is taken has its own exit code', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void blocker.close());
  const address = blocker.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const words = ['server', '--port', String(port), '--data-dir', temporaryFolder()];
  const { status, stderr } = await thalweg(words);
  expect(status, stderr).toBe(4);
  expect(stderr).toContain('code: port_in_use');
});

test('a bind that others reach is refused without a token', async () => {
  const words = ['server', '--host', '0.0.0.0', '--port', '0', '--data-dir', temporaryFolder()];
  const { status, stderr } = await thalweg(words);
  expect(status).toBe(2);
  expect(stderr).toContain('THALWEG_SERVER_TOKEN');
});

test('without privileges the agent says what it needs', async () => {
  const folder = temporaryFolder();
  const main = join(root, 'packages/cli/dist/thalweg.js');
  const words = [main, 'agent', '--spool-dir', join(folder, 'spool'), '--status-port', '0'];
  // Capabilities dropped, same user: the checkout stays readable wherever it lies.
  const dropped = ['--bounding-set=-all', '--inh-caps=-all', process.execPath, ...words];
  const ended = await new Promise<Ended>((resolve) => {
    const child = execFile('setpriv', dropped, { timeout: 60_000 }, (_e, stdout, stderr) =>
      resolve({ status: child.exitCode ?? -1, stdout, stderr }),
    );
  });
  expect(ended.status, ended.stderr).toBe(3);
  expect(ended.stderr).toContain('CAP_BPF');
});

test('up answers queries while it runs, and ends cleanly at SIGTERM', async () => {
  const folder = temporaryFolder();
  const words = ['up', '--port', '0', '--status-port', '0'];
  const places = ['--data-dir', join(folder, 'data'), '--spool-dir', join(folder, 'spool')];
  const child = spawn(launcher, [...words, ...places], { stdio: ['ignore', 'ignore', 'pipe'] });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.once('exit', (code) => reject(new Error(`up ended with ${code}: ${text}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
      if (found !== undefined) resolve(found);
    });
  });
  const answer = await thalweg(['query', 'SHOW tables', '--json', '--url', url]);
  expect(answer.status, answer.stderr).toBe(0);
  expect(answer.stdout).toContain('l7_flow_log');
  const wrong = await thalweg(['query', 'SELECT nothing FROM l7_flow_log', '--url', url]);
  expect(wrong.status).toBe(1);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});
