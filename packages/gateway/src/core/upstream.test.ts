import { expect, test } from 'vitest';
import { createHealthBook } from './health/health-book.ts';
import { NO_BODY } from './http/head.ts';
import { HeaderFields } from './http/header-fields.ts';
import type { UpstreamObject } from './objects.ts';
import { createRequestBody } from './request-body.ts';
import { RequestContext } from './request-context.ts';
import { createUpstream } from './upstream.ts';

const NOTHING = () => undefined;
const body = createRequestBody(NO_BODY, { pause: NOTHING, resume: NOTHING, want: NOTHING });
const peer = {
  address: '192.0.2.1',
  port: 5,
  localAddress: '127.0.0.1',
  localPort: 80,
  isTls: false,
  serverName: undefined,
  tlsVersion: undefined,
  clientChain: undefined,
};
const head = {
  kind: 'request',
  method: 'GET',
  target: '/',
  isHttp10: false,
  fields: new HeaderFields(),
  framing: NO_BODY,
  isKeepAlive: true,
  expectsContinue: false,
  upgrade: undefined,
  size: 0,
} as const;
const context = new RequestContext(peer, head, body, 0);

function open(object: UpstreamObject, names: Readonly<Record<string, readonly string[]>> = {}) {
  const health = createHealthBook(() => undefined);
  const upstream = createUpstream(object, {
    name: 'test',
    resolve: async (host) => names[host] ?? [],
    now: () => 0,
    random: () => 0,
    health,
  });
  return { upstream, health };
}

const list = (...nodes: (readonly [port: number, priority: number])[]) => ({
  nodes: nodes.map(([port, priority]) => ({ host: '10.0.0.1', port, weight: 1, priority })),
});

test('a lower priority serves only when all of the higher were tried', () => {
  const { upstream } = open(list([1, 0], [2, 1], [3, 1]));
  const tried = [];
  for (let node = upstream.pick(context, [], 0); node !== undefined; ) {
    tried.push(node);
    node = upstream.pick(context, tried, 0);
  }
  expect(tried.map(({ port }) => port)).toEqual([2, 3, 1]);
  expect(upstream.retries()).toBe(2);
});

test('an unhealthy node is passed over, unless all are', () => {
  const { upstream, health } = open(list([1, 0], [2, 0]));
  const limits = { successes: 1, http_failure: 1, tcp_failure: 1, timeout_failure: 1 };
  const [first, second] = upstream.nodes();
  if (first === undefined || second === undefined) throw new Error('two nodes were configured');
  health.report(first, 'tcp_failure', limits);
  const ports = () => new Set([1, 2, 3, 4].map(() => upstream.pick(context, [], 0)?.port));
  expect(ports()).toEqual(new Set([2]));
  expect(upstream.pick(context, [second], 0)).toBeUndefined();
  health.report(second, 'tcp_failure', limits);
  expect(ports()).toEqual(new Set([1, 2]));
});

test('each address of a name is a node', async () => {
  const { upstream } = open({ nodes: { 'shop:81': 1 } }, { shop: ['10.0.0.2', '10.0.0.1'] });
  await upstream.ready();
  expect(upstream.nodes().map(({ key }) => key)).toEqual(['10.0.0.1:81', '10.0.0.2:81']);
  expect(upstream.ready()).toBeUndefined();
});

test.each([
  { object: { nodes: { 'a.test': 1 } }, port: 80 },
  { object: { nodes: { 'a.test': 1 }, scheme: 'https' }, port: 443 },
  { object: { nodes: { '[::1]:8080': 1 } }, port: 8_080 },
])('the port of $object.nodes is $port', async ({ object, port }) => {
  const { upstream } = open(object, { 'a.test': ['10.0.0.1'] });
  await upstream.ready();
  expect(upstream.nodes().map((node) => node.port)).toEqual([port]);
});
