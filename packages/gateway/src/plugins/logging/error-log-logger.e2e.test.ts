// What the gateway says of itself reaches receivers of each kind, from all its processes.
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startProgram } from '../../testing/gateway-program.ts';
import { receiveHttp } from '../testing/http-receiver.ts';

const PATH = 'plugin_metadata/error-log-logger';
const AT_ONCE = { batch_max_size: 1 };
/** The logger's entry is lost, which the gateway warns of. */
const LOSING = {
  uri: '/*',
  plugins: { 'http-logger': { uri: 'http://127.0.0.1:1/', ...AT_ONCE } },
};
const LOSS =
  /^\d{4}(\/\d\d){2} \d\d(:\d\d){2} \[warn\] \d+#0: http-logger: 1 entries of "http logger"/;

type Program = Awaited<ReturnType<typeof startProgram>>;

/** A route anew, so that its logger has not warned yet, and a request to it. */
async function lose(gateway: Program, id: number): Promise<void> {
  const route = { ...LOSING, uri: `/${id}` };
  expect(await gateway.put(`routes/${id}`, route)).toBeLessThan(300);
  await fetch(new URL(`/${id}`, gateway.proxy), { headers: { Connection: 'close' } });
}

async function openTcp(): Promise<{ readonly port: number; text(): string }> {
  let text = '';
  const server = createServer((socket) => socket.on('data', (bytes) => (text += bytes.toString())));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, text: () => text };
}

test('warnings go to each kind of receiver as soon as metadata names it, and to none after it', async () => {
  const gateway = await startProgram();
  const tcp = await openTcp();
  const address = { host: '127.0.0.1', port: tcp.port };
  expect(await gateway.put(PATH, { tcp: address, ...AT_ONCE })).toBe(201);
  await lose(gateway, 1);
  await expect.poll(tcp.text).toMatch(LOSS);

  const http = await receiveHttp();
  const skywalking = { endpoint_addr: `${http.url}/v3/logs`, service_name: 'edge' };
  expect(await gateway.put(PATH, { skywalking, ...AT_ONCE })).toBe(200);
  await lose(gateway, 2);
  const [logs] = await http.until(1);
  const text = expect.stringMatching(LOSS);
  expect([logs?.path, JSON.parse(logs?.body.toString() ?? '')]).toMatchObject([
    '/v3/logs',
    [{ service: 'edge', serviceInstance: 'APISIX Service Instance', body: { text: { text } } }],
  ]);

  const login = { user: 'u', password: 'p', database: 'd', logtable: 't' };
  const clickhouse = { endpoint_addr: http.url, ...login };
  expect(await gateway.put(PATH, { clickhouse, ...AT_ONCE })).toBe(200);
  await lose(gateway, 3);
  const [, inserted] = await http.until(2);
  expect(inserted?.headers).toMatchObject({
    'x-clickhouse-key': 'p',
    'x-clickhouse-database': 'd',
  });
  const insert = inserted?.body.toString() ?? '';
  expect(insert).toMatch(/^INSERT INTO t FORMAT JSONEachRow \{"data":"/);

  expect(await gateway.put(PATH, { clickhouse, level: 'ERR', ...AT_ONCE })).toBe(200);
  await lose(gateway, 4);
  const losses = () => gateway.notes().split('http-logger: 1 entries').length - 1;
  await expect.poll(losses).toBe(4);
  expect(await gateway.put(PATH, { clickhouse, ...AT_ONCE })).toBe(200);
  await lose(gateway, 5);
  expect(await http.until(3)).toHaveLength(3);
});

test('what receivers cannot be is refused', async () => {
  const gateway = await startProgram();
  for (const metadata of [
    {},
    { kafka: { brokers: [{ host: '127.0.0.1', port: 9092 }], kafka_topic: 't' } },
    { skywalking: { endpoint_addr: 'http://127.0.0.1:99999' } },
    { skywalking: { endpoint_addr: 'nonsense' } },
    { tcp: { host: '127.0.0.1', port: 1 }, level: 'LOUD' },
  ]) {
    expect([metadata, await gateway.put(PATH, metadata)]).toEqual([metadata, 400]);
  }
});

test('a receiver that is away costs the messages, and its own loss is not sent to it', async () => {
  const gateway = await startProgram();
  const tcp = { host: '127.0.0.1', port: 1 };
  expect(await gateway.put(PATH, { tcp, ...AT_ONCE })).toBe(201);
  await lose(gateway, 1);
  await expect.poll(gateway.notes).toContain('1 entries of "error-log-logger" were dropped');
  const metrics = await (await fetch(gateway.metrics)).text();
  expect(metrics).toMatch(/dropped_entries_total\{name="error-log-logger"[^}]*\} 1\n/);
});

test('of several processes all are heard', async () => {
  const gateway = await startProgram({ nginx_config: { worker_processes: 2 } });
  const tcp = await openTcp();
  expect(await gateway.put(PATH, { tcp: { host: '127.0.0.1', port: tcp.port }, ...AT_ONCE })).toBe(
    201,
  );
  await lose(gateway, 1);
  await expect.poll(tcp.text).toMatch(LOSS);
});
