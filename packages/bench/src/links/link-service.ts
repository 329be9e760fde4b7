import { readFile } from 'node:fs/promises';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceBehaviour } from './behaviour.ts';
import { type Call, connectPostgresql, connectRedis } from './store-calls.ts';

// A plain Node service that calls another one on behalf of each request, in one of the ways in which
// real services do. Runs in a process of its own: `link-service PORT BEHAVIOUR`.
const [, , nextPort, behaviourName] = process.argv;
const behaviour = behaviourName as ServiceBehaviour; // Given by the case that starts this.
const DELAY_MS = 20;
const POLL_MS = 20;

const agent = new Agent({
  keepAlive: behaviour !== 'dns',
  ...(behaviour === 'max-sockets' ? { maxSockets: 4 } : {}),
});
const host = behaviour === 'dns' ? 'localhost' : '127.0.0.1';
const randomDelay = (): Promise<void> => sleep(Math.random() * DELAY_MS);

/** Calls the next service. The id of the request that it serves is passed on, when it has one. */
function call(path: string, id?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = id === undefined ? {} : { 'x-request-id': id };
    get({ host, port: nextPort, path, agent, family: 4, headers }, (answer) => {
      answer.resume();
      answer.on('end', resolve);
    }).on('error', reject);
  });
}

async function connectStore(): Promise<Call | undefined> {
  if (behaviour === 'redis') return connectRedis(Number(nextPort));
  return behaviour === 'postgresql' ? connectPostgresql(Number(nextPort)) : undefined;
}

const store = await connectStore();

async function serve(id: string, passedOn?: string): Promise<void> {
  const next = (n: number): Promise<void> => {
    const path = `/c/${id}/${n}`;
    return store === undefined ? call(path, passedOn) : store(path);
  };
  switch (behaviour) {
    case 'timer-before':
      await randomDelay();
      return next(0);
    case 'timer-after':
      await next(0);
      return randomDelay();
    case 'timer-both':
      await randomDelay();
      await next(0);
      return randomDelay();
    case 'fs':
      await readFile('/etc/hostname');
      return next(0);
    case 'fan-out':
      await Promise.all([0, 1, 2].map(next));
      await next(3);
      return next(4);
    case 'cache':
      return Math.random() < 0.5 ? undefined : next(0);
    case 'retry':
      await next(0);
      return Math.random() < 0.2 ? next(1) : undefined;
    case 'plain':
    case 'max-sockets':
    case 'dns':
    case 'background':
    case 'redis':
    case 'postgresql':
      return next(0);
  }
}

const server = createServer((request, response) => {
  const id = request.url?.split('/')[2] ?? '';
  serve(id, request.headers['x-request-id']?.toString()).then(
    () => response.end('ok'),
    () => response.writeHead(502).end(),
  );
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port); // A TCP server's address is one.
});
if (behaviour === 'background') {
  let polls = 0;
  setInterval(() => void call(`/b/${++polls}`).catch(() => undefined), POLL_MS);
}
process.once('disconnect', () => process.exit(0));
