import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
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
  input: Uint8Array = new Uint8Array(),
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: tmpdir(), env: { ...process.env, ...environment }, timeout: 120_000 };
    const child = execFile(launcher, [...words], options, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode ?? -1, stdout, stderr });
    });
    // One that ends without reading closes its end first.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
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

test('the web shop: spans of SDKs, gateway, kernel and interfaces are one tree', async () => {
  const words = ['demo', '--shop', '--once', '--json', '--requests', '100', '--connections', '1'];
  const { status, stdout, stderr } = await thalweg(words);
  expect(status, stderr).toBe(0);
  const result: Record<string, number> = JSON.parse(stdout);
  expect(result).toMatchObject({ requests: 100, lostEvents: 0 });
  expect(result['completeTraces']).toBeGreaterThanOrEqual(99);
});

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

test('replay reads gzip, and stdin', async () => {
  const packed = gzipSync(readFileSync(capture('http/sw8.pcap')));
  const file = join(temporaryFolder(), 'sw8.pcap.gz');
  writeFileSync(file, packed);
  const plain = await thalweg(['replay', capture('http/sw8.pcap')]);
  expect(await thalweg(['replay', file])).toEqual(plain);
  expect(await thalweg(['replay', '-'], {}, packed)).toEqual(plain);
});

/** Each case gives the bytes of a file. */
const BROKEN: readonly { name: string; bytes: () => Uint8Array; says: string }[] = [
  { name: 'text', bytes: () => Buffer.from('this is no capture'), says: 'not-a-capture: ' },
  { name: 'an empty file', bytes: () => Buffer.alloc(0), says: 'not-a-capture' },
  {
    name: 'a pcap that is cut',
    bytes: () => readFileSync(capture('http/sw8.pcap')).subarray(0, -7),
    says: 'truncated: the file ends inside',
  },
  {
    name: 'a gzip stream that is cut',
    bytes: () => gzipSync(readFileSync(capture('http/sw8.pcap'))).subarray(0, -40),
    says: 'truncated: the gzip stream: unexpected end of file',
  },
  {
    name: 'a gzip stream that is damaged',
    bytes: () =>
      gzipSync(readFileSync(capture('http/sw8.pcap'))).map((byte, at) =>
        at > 40 ? byte ^ 0x55 : byte,
      ),
    says: 'truncated: the gzip stream: ',
  },
];

test.each(BROKEN)('replay of $name says so, with code 6', async ({ bytes, says }) => {
  const file = join(temporaryFolder(), 'broken.pcap');
  writeFileSync(file, bytes());
  const { status, stderr } = await thalweg(['replay', file]);
  expect([status, stderr.includes(says), stderr.includes('code: bad_input')], stderr).toEqual([
    6,
    true,
    true,
  ]);
});

test.each([
  { name: 'a directory', words: ['replay', tmpdir()], status: 6, says: 'this is a directory' },
  { name: 'no file', words: ['replay', '/nowhere'], status: 6, says: 'there is no such file' },
  {
    name: 'no server',
    words: ['query', 'SHOW tables', '--url', 'http://127.0.0.1:1'],
    status: 5,
    says: 'no server answers',
  },
  {
    name: 'no address',
    words: ['query', 'SHOW tables', '--url', 'x'],
    status: 2,
    says: 'no http address',
  },
  {
    name: 'a server directory under a file',
    words: ['server', '--port', '0', '--data-dir', '/dev/null/x'],
    status: 1,
    says: 'ENOTDIR',
  },
  { name: 'an unknown bench', words: ['bench', 'rnig'], status: 2, says: 'did you mean "ring"?' },
  { name: 'help about an unknown command', words: ['help', 'demos'], status: 2, says: '"demo"?' },
])('$name: exit code $status and a message', async ({ words, status, says }) => {
  const ended = await thalweg(words);
  expect([ended.status, ended.stderr.includes(says)], ended.stderr).toEqual([status, true]);
  expect(ended.stderr).toMatch(/^thalweg: .+\nfix: .+\ncode: \w+\n$/s);
});

test.each([
  'up',
  'agent',
  'server',
  'demo',
  'replay',
  'query',
  'doctor',
  'config',
  'bench',
  'version',
])('%s --help prints its page', async (name) => {
  const { status, stdout } = await thalweg([name, '--help']);
  expect([status, stdout.includes(`usage: thalweg ${name}`)]).toEqual([0, true]);
});

test('config prints what is in force and hides secrets', async () => {
  const file = join(temporaryFolder(), 'thalweg.yaml');
  writeFileSync(file, 'server:\n  port: 1\n  token: 0123456789abcdef\n');
  const { status, stdout } = await thalweg(['config', '--config', file, '--json']);
  const { server } = JSON.parse(stdout) as { server: Record<string, unknown> };
  expect([status, server['port']]).toEqual([0, { value: 1, from: `file ${file}` }]);
  expect(stdout).not.toContain('0123456789abcdef');
});

test('the demo that is stopped early says so and leaves nothing', async () => {
  const child = spawn(launcher, ['demo', '--once', '--json'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('starting the hosts')) resolve();
    });
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  const namespaces = readdirSync('/run/netns');
  const left = [...namespaces, ...readdirSync(tmpdir())].filter((name) =>
    name.startsWith(`thalweg-${child.pid}x`),
  );
  expect(left).toEqual([]);
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
  const read = await thalweg(
    ['query', '-', '--json', '--url', url],
    {},
    Buffer.from('SHOW tables'),
  );
  expect(read.stdout).toBe(answer.stdout);
  const wrong = await thalweg(['query', 'SELECT nothing FROM l7_flow_log', '--url', url]);
  expect(wrong.status).toBe(1);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('promqltest counts what passes and fails where an expectation is wrong', async () => {
  const script = join(temporaryFolder(), 'two.test');
  writeFileSync(script, 'eval instant at 0 1 + 1\n  2\n\neval instant at 0 1 + 1\n  3\n');
  const { status, stdout, stderr } = await thalweg(['promqltest', script, script]);
  expect(stderr).toContain('code: failed');
  expect(status).toBe(1);
  expect(stdout).toContain('two.test: 1 passed, 1 failed, 0 skipped');
  expect(stdout).toContain('total: 2 passed, 2 failed, 0 skipped');
});
