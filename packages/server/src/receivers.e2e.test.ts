import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TraceAnswer } from '@thalweg/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Server, ServerSettings, startServer } from './index.ts';

const run = promisify(execFile);
const SENDER = fileURLToPath(new URL('./testing/sdk-sender.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'thalweg-receivers-'));
let server: Server;

beforeAll(async () => {
  const settings = ServerSettings.parse({ port: 0, data_dir: folder });
  server = await startServer(settings, { version: 'test', logLevel: 'silent' });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Sends a call, its answer and a span within with an exporter of the SDK; answers the trace id. */
async function sendTrace(protocol: string, url: string, compression = 'none'): Promise<string> {
  const sent = await run(process.execPath, [SENDER, protocol, url, compression]);
  expect(sent.stderr).toBe('');
  return sent.stdout.trim();
}

async function storedTrace(traceId: string): Promise<TraceAnswer> {
  let answer: Response | undefined;
  await expect
    .poll(
      async () => {
        answer = await fetch(`${server.url}/api/traces/${traceId}`);
        return answer.status;
      },
      { timeout: 20_000, interval: 100 },
    )
    .toBe(200);
  return TraceAnswer.parse(await answer?.json());
}

/** `parent>child`, by endpoints. */
function shape({ spans }: TraceAnswer): string[] {
  const names = new Map(spans.map(({ spanId, endpoint }) => [spanId, endpoint]));
  return spans.map(({ parentId, endpoint }) => `${names.get(parentId ?? '') ?? ''}>${endpoint}`);
}

const BASES = ['', '/api/v1/otel/trace', '/api/v1/otel/traces', '/api/v1/otel', '/v1/traces'];

test.each([
  ...BASES.map((base) => ({
    protocol: 'protobuf',
    port: 'ours',
    path: `${base}/v1/traces`,
    compression: 'none',
  })),
  { protocol: 'protobuf', port: 'ours', path: '/api/v1/otel/trace', compression: 'none' },
  { protocol: 'protobuf', port: 'http', path: '/v1/traces', compression: 'none' },
  { protocol: 'protobuf', port: 'http', path: '/v1/traces', compression: 'gzip' },
  { protocol: 'json', port: 'http', path: '/v1/traces', compression: 'none' },
  { protocol: 'json', port: 'ours', path: '/v1/traces', compression: 'gzip' },
  { protocol: 'grpc', port: 'grpc', path: '', compression: 'none' },
  { protocol: 'grpc', port: 'grpc', path: '', compression: 'gzip' },
])("$protocol to $port $path $compression: the SDK's spans are a tree", async (sent) => {
  const urls = { ours: server.url, http: server.otlpHttpUrl, grpc: server.otlpGrpcUrl };
  const base = Object.entries(urls).find(([name]) => name === sent.port)?.[1];
  const traceId = await sendTrace(sent.protocol, `${base}${sent.path}`, sent.compression);
  const stored = await storedTrace(traceId);
  expect(shape(stored)).toEqual(['>call', 'call>answer', 'answer>inner']);
  expect(stored.spans[0]).toMatchObject({
    signal: 'A',
    service: 'cart',
    method: 'GET',
    fields: { n: '1', trace_id: traceId },
  });
});

test('logs are kept and can be asked for by their trace', async () => {
  const traceId = 'fe'.repeat(16);
  const record = {
    timeUnixNano: `${Date.now()}000000`,
    severityNumber: 17,
    body: { stringValue: 'out of stock' },
    traceId,
  };
  const body = { resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] };
  const headers = { 'content-type': 'application/json' };
  const sent = await fetch(`${server.url}/v1/logs`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  expect(sent.status).toBe(200);
  const sql = `SELECT body, severity_number FROM log WHERE trace_id = '${traceId}'`;
  await expect
    .poll(
      async () => {
        const query = { db: 'application_log', sql };
        const answer = await fetch(`${server.url}/v1/query/`, {
          method: 'POST',
          headers,
          body: JSON.stringify(query),
        });
        return answer.text();
      },
      { timeout: 20_000, interval: 200 },
    )
    .toContain('out of stock');
});

test('a payload that a real APISIX sent to its own address is answered with 200', async () => {
  const file = '../../../../shared/conformance/apisix/payloads/otel/01-get-plain.pb';
  const body = readFileSync(new URL(file, import.meta.url));
  const answer = await fetch(`${server.url}/api/v1/otel/trace/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body,
  });
  expect(answer.status).toBe(200);
});

test('a port of OTLP that is taken is named with its setting', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const data_dir = mkdtempSync(join(tmpdir(), 'thalweg-port-'));
  const settings = ServerSettings.parse({ port: 0, otlp_grpc_port: port, data_dir });
  const started = startServer(settings, { version: 'test', logLevel: 'silent' });
  await expect(started).rejects.toMatchObject({
    code: 'port_in_use',
    fix: 'is another server running? set otlp_grpc_port to another port, or 0 for any',
  });
  other.close();
  rmSync(data_dir, { recursive: true, force: true });
});

test('the counters say who sent what', async () => {
  const status: unknown = await (await fetch(`${server.url}/api/status`)).json();
  expect(status).toMatchObject({
    receivers: {
      senders: expect.arrayContaining([
        expect.objectContaining({ sender: '127.0.0.1', receiver: 'otlp_traces', rejected: 1 }),
        expect.objectContaining({ sender: '127.0.0.1', receiver: 'grpc_otlp_traces', rejected: 0 }),
      ]),
    },
  });
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(
    /thalweg_sender_rows\{sender="127\.0\.0\.1",receiver="grpc_otlp_traces"\} \d+/,
  );
  expect(metrics).toMatch(/thalweg_receivers\{counter="grpc_otlp_traces\.rows"\} \d+/);
});
