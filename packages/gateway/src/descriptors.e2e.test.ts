// The gateway when the kernel gives it no more file descriptors.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { chosenSockets } from './testing/running-gateway.ts';

const CLI = fileURLToPath(new URL('../../cli/dist/thalweg.js', import.meta.url));
const KEY = 'fd-key';
/** Node and the listeners take 25 of them. */
const DESCRIPTORS = 96;
const WAIT = { timeout: 30_000 };
const NOTES = { proxy: /^gateway: (http:\S+)/m, admin: /admin (http\S+)/ };

interface Limited {
  readonly proxy: URL;
  readonly admin: string;
  isRunning(): boolean;
}

async function startLimited(): Promise<Limited> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-fds-'));
  const config = {
    apisix: { node_listen: [{ port: 0 }], control: { port: 0 }, ssl: { enable: false } },
    plugin_attr: { prometheus: { export_addr: { port: 0 } } },
    deployment: { admin: { admin_listen: { port: 0 }, admin_key: [{ key: KEY }] } },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const script = `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`;
  const words = [CLI, 'gateway', '--config', join(folder, 'config.json'), '--data', folder];
  words.push('--sockets', chosenSockets().sockets ?? 'native');
  const child = spawn('sh', ['-c', script, process.execPath, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let notes = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => (notes += bytes.toString()));
  }
  onTestFinished(async () => {
    if (child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true });
  });
  await expect.poll(() => Object.values(NOTES).every((note) => note.test(notes)), WAIT).toBe(true);
  return {
    proxy: new URL(NOTES.proxy.exec(notes)?.[1] ?? ''),
    admin: NOTES.admin.exec(notes)?.[1] ?? '',
    isRunning: () => child.exitCode === null && child.signalCode === null,
  };
}

/** The status, or why there was none. */
function ask(url: URL, agent?: Agent): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(url, agent === undefined ? { agent: false } : { agent }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', (error) => resolve(error.message));
    });
    asked.on('error', (error) => resolve(error.message));
    asked.end();
  });
}

test('without descriptors requests are refused, and with them again all is as before', async () => {
  const upstream = createServer((_asked, answer) => answer.end('ok'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => {
    agent.destroy();
    upstream.closeAllConnections();
    upstream.close();
  });
  const gateway = await startLimited();
  const put = async (id: string) => {
    const { port } = upstream.address() as AddressInfo;
    const answer = await fetch(`${gateway.admin}/apisix/admin/routes/${id}`, {
      method: 'PUT',
      headers: { 'X-API-KEY': KEY, Connection: 'close' },
      body: JSON.stringify({ uri: `/${id}`, upstream: { nodes: { [`127.0.0.1:${port}`]: 1 } } }),
    });
    return answer.status;
  };
  expect([await put('a'), await put('b')]).toEqual([201, 201]);
  const [url, other] = [new URL('/a', gateway.proxy), new URL('/nowhere', gateway.proxy)];
  expect(await ask(other, agent)).toBe(404);

  const idle: Socket[] = [];
  let closed = 0;
  for (let i = 0; i < DESCRIPTORS * 2; i++) {
    const socket = connect(Number(gateway.proxy.port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.on('close', () => (closed += 1));
    idle.push(socket);
  }
  // What cannot be kept is closed rather than left waiting.
  await expect.poll(() => closed, WAIT).toBeGreaterThan(DESCRIPTORS / 2);
  expect(gateway.isRunning()).toBe(true);
  // A connection from before is served, but none to an upstream can be made.
  expect(await ask(other, agent)).toBe(404);
  expect(await ask(url, agent)).toBe(502);

  for (const socket of idle) socket.destroy();
  await expect.poll(() => ask(url), WAIT).toBe(200);
  expect(await put('c')).toBe(201);
  expect(await ask(new URL('/c', gateway.proxy))).toBe(200);
  expect(gateway.isRunning()).toBe(true);
});
