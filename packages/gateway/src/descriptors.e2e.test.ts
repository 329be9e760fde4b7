// The gateway when the kernel gives it no more file descriptors.
import { Agent, createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startProgram } from './testing/gateway-program.ts';

/** Node and the listeners take 25 of them. */
const DESCRIPTORS = 96;
const WAIT = { timeout: 30_000 };

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
  const gateway = await startProgram({}, `ulimit -n ${DESCRIPTORS};`);
  const put = (id: string): Promise<number> => {
    const { port } = upstream.address() as AddressInfo;
    const upstreamObject = { nodes: { [`127.0.0.1:${port}`]: 1 } };
    return gateway.put(`routes/${id}`, { uri: `/${id}`, upstream: upstreamObject });
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
