import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LatencyAnswer, TraceSearchAnswer } from '@thalweg/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Server, ServerSettings, startServer } from './index.ts';
import { createRowMaker, encodeRows } from './testing/l7-rows.ts';

// A shop that has SDKs and no agent: its traces are searched, drawn and counted all the same.

const SERVER_KIND = 2;
const CLIENT_KIND = 3;
const folder = mkdtempSync(join(tmpdir(), 'thalweg-sdk-only-'));
const startUs = Date.now() * 1e3 - 60e6;
const range = `start=${startUs - 1e6}&end=${startUs + 10e6}`;
let server: Server;

beforeAll(async () => {
  const settings = ServerSettings.parse({ port: 0, data_dir: folder });
  server = await startServer(settings, { version: 'test', logLevel: 'silent' });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Call {
  readonly service: string;
  readonly name: string;
  readonly id: string;
  readonly parent: string;
  readonly kind: number;
}

function spansOf(traceId: string, calls: readonly Call[]): string {
  const span = ({ service, name, id, parent, kind }: Call, index: number): object => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
    scopeSpans: [
      {
        spans: [
          {
            traceId,
            spanId: id.padStart(16, '0'),
            parentSpanId: parent === '' ? '' : parent.padStart(16, '0'),
            name,
            kind,
            startTimeUnixNano: `${String(startUs + index * 10)}000`,
            endTimeUnixNano: `${String(startUs + 5_000 - index * 10)}000`,
          },
        ],
      },
    ],
  });
  return JSON.stringify({ resourceSpans: calls.map(span) });
}

async function sendOtlp(body: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${server.url}/v1/traces`, { method: 'POST', body, headers });
  expect([answer.status, await answer.text()]).toEqual([200, '{}']);
}

async function getJson(path: string): Promise<unknown> {
  const answer = await fetch(`${server.url}${path}`);
  expect([path, answer.status]).toEqual([path, 200]);
  return answer.json();
}

async function requestCount(): Promise<number> {
  const { cells } = LatencyAnswer.parse(await getJson(`/api/latency?${range}`));
  return cells.reduce((sum, { count }) => sum + count, 0);
}

async function dependencies(): Promise<unknown> {
  return ((await getJson('/jaeger/api/dependencies')) as { data: unknown }).data;
}

test('traces of SDKs alone: the entry is the root span, requests are counted, calls are edges', async () => {
  await sendOtlp(
    spansOf('5b8aa5a2d2c872e8321cf37308d69df2', [
      { service: 'edge', name: 'GET /', id: '1', parent: '', kind: SERVER_KIND },
      { service: 'edge', name: 'GET', id: '2', parent: '1', kind: CLIENT_KIND },
      { service: 'shop', name: 'GET /items', id: '3', parent: '2', kind: SERVER_KIND },
      // A gateway without client spans: the service's parent is the gateway's server span.
      { service: 'mail', name: 'POST /mail', id: '4', parent: '3', kind: SERVER_KIND },
      { service: 'mail', name: 'POST /mail', id: '5', parent: '3', kind: SERVER_KIND },
    ]),
  );
  const search = async () => TraceSearchAnswer.parse(await getJson(`/api/traces?${range}`));
  await expect.poll(async () => (await search()).traces[0]?.spanCount).toBe(5);
  expect((await search()).traces[0]).toMatchObject({ service: 'edge', endpoint: 'GET /' });
  expect(await requestCount()).toBe(4);
  expect(await dependencies()).toEqual([
    { parent: 'shop', child: 'mail', callCount: 2 },
    { parent: 'edge', child: 'shop', callCount: 1 },
  ]);
});

test('what both an SDK and the kernel told of counts once', async () => {
  const traceId = '7d8aa5a2d2c872e8321cf37308d69df2';
  await sendOtlp(
    spansOf(traceId, [
      { service: 'till', name: 'pay', id: '6', parent: '', kind: CLIENT_KIND },
      { service: 'bank', name: 'POST /pay', id: '7', parent: '6', kind: SERVER_KIND },
    ]),
  );
  await expect.poll(requestCount).toBe(5);
  const row = createRowMaker(startUs);
  const traced = { trace_id: traceId, span_id: '6'.padStart(16, '0'), wire_id: 77n };
  const answer = await fetch(`${server.url}/api/ingest/l7_flow_log`, {
    method: 'POST',
    body: encodeRows([
      row(5, { ...traced, observation_point: 'c-p', app_service: 'till' }),
      row(10, { ...traced, observation_point: 's-p', app_service: 'bank' }),
    ]),
    headers: { 'content-type': 'application/octet-stream', 'x-thalweg-token': 'both' },
  });
  expect(answer.status).toBe(200);
  const edge = { parent: 'till', child: 'bank', callCount: 1 };
  await expect.poll(dependencies).toContainEqual(edge);
  expect(await requestCount()).toBe(5);
});
