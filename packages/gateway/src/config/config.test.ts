// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { expect, test } from 'vitest';
import { durationMs, parseGatewayConfig } from './config.ts';
import { fieldSealOf } from './keyring.ts';

test('without a file everything is on loopback', () => {
  const { apisix, deployment } = parseGatewayConfig('', {}).config;
  expect(apisix.node_listen).toMatchObject([{ ip: '127.0.0.1', port: 9080 }]);
  expect(apisix.control).toEqual({ ip: '127.0.0.1', port: 9090 });
  expect(deployment.admin.admin_listen).toEqual({ ip: '127.0.0.1', port: 9180 });
});

test('keys without meaning are named, unknown ones are errors, all at once', () => {
  const text = 'nginx_config: {worker_rlimit_nofile: 1}\napisix: {nod_listen: 1, enable_admin: 3}';
  expect(() => parseGatewayConfig(text, {})).toThrow(/nod_listen[\s\S]*expected boolean/);
  const { ignored } = parseGatewayConfig('nginx_config: {worker_rlimit_nofile: 1}', {});
  expect(ignored).toEqual(['nginx_config.worker_rlimit_nofile']);
});

test('the environment fills what refers to it', () => {
  const text = 'apisix:\n  node_listen: ${{PORT:=9}}\n  id: "${{ID}}"';
  expect(parseGatewayConfig(text, { ID: 'x' }).config.apisix).toMatchObject({
    id: 'x',
    node_listen: [{ ip: '127.0.0.1', port: 9 }],
  });
  expect(() => parseGatewayConfig(text, {})).toThrow('ID is not set');
});

test('a key without a value is absent, but a keyring without one seals nothing', () => {
  const text = 'apisix: {enable_admin: , data_encryption: {keyring: }}';
  const { apisix } = parseGatewayConfig(text, {}).config;
  expect(apisix.enable_admin).toBe(true);
  expect(fieldSealOf(apisix.data_encryption, [])).toBeUndefined();
  const empty = parseGatewayConfig('apisix: {data_encryption: {}}', {}).config.apisix;
  expect(fieldSealOf(empty.data_encryption, [])).toBeUndefined();
  expect(fieldSealOf(parseGatewayConfig('', {}).config.apisix.data_encryption, [])).toBeDefined();
});

test('streams have ports when the mode says so, and requests have theirs unless it says otherwise', () => {
  const ports =
    'stream_proxy: {tcp: [9100, "0.0.0.0:9101", {addr: 9102, tls: true}], udp: ["[::1]:53"]}';
  const parsed = (mode: string) =>
    parseGatewayConfig(`apisix:\n  proxy_mode: ${mode}\n  ${ports}`, {}).config.apisix;
  expect(parsed('http&stream').stream_proxy).toMatchObject({
    tcp: [
      { ip: '127.0.0.1', port: 9100, isTls: false },
      { ip: '0.0.0.0', port: 9101, isTls: false },
      { ip: '127.0.0.1', port: 9102, isTls: true },
    ],
    udp: [{ ip: '::1', port: 53 }],
  });
  expect(parsed('http').stream_proxy).toEqual({ tcp: [], udp: [] });
  expect([parsed('stream').node_listen, parsed('http').node_listen.length]).toEqual([[], 1]);
});

test('PROXY headers of streams are as one port says, or else as it is said for all', () => {
  const parsed = parseGatewayConfig(
    `apisix:
  proxy_mode: stream
  proxy_protocol: {enable_tcp_pp: true}
  stream_proxy:
    tcp: [1, {addr: 2, proxy_protocol: false, proxy_protocol_to_upstream: true}]`,
    {},
  );
  expect(parsed.ignored).toEqual([]);
  expect(parsed.config.apisix.stream_proxy.tcp).toMatchObject([
    { port: 1, isBehindProxy: true, announcesClient: false },
    { port: 2, isBehindProxy: false, announcesClient: true },
  ]);
});

test.each([
  { given: '60s', ms: 60_000 },
  { given: '500ms', ms: 500 },
  { given: 2, ms: 2_000 },
])('$given is $ms ms', ({ given, ms }) => {
  expect(durationMs(given)).toBe(ms);
});
