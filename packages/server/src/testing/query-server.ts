import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { ServerSettings, startServer } from '../index.ts';
import { createRowMaker, encodeRows, type L7Row } from './l7-rows.ts';

// A real server with three traces, for tests of the APIs that existing UIs speak.

export interface QueryServer {
  readonly url: string;
  get(path: string): Promise<Response>;
  /** Expects 200. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of APIs whose shape is what is tested.
  getJson(path: string): Promise<any>;
  close(): Promise<void>;
}

/** A query string whose time holds all that a test sends. */
export const rangeAround = (startUs: number): string =>
  `start=${startUs / 1e6 - 60}&end=${startUs / 1e6 + 120}`;

/** Resolves once the three are found; the first one is of `startUs`, the others each a second later. */
export async function openQueryServer(startUs: number): Promise<QueryServer> {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-apis-'));
  const settings = ServerSettings.parse({ port: 0, data_dir: folder });
  const server = await startServer(settings, { version: 'test', logLevel: 'silent' });
  const get = (path: string): Promise<Response> => fetch(`${server.url}${path}`);
  const getJson: QueryServer['getJson'] = async (path) => {
    const answer = await get(path);
    expect(`${path} ${answer.status}`).toBe(`${path} 200`);
    return answer.json();
  };
  const row = createRowMaker(startUs);
  const answer = await fetch(`${server.url}/api/ingest/l7_flow_log`, {
    method: 'POST',
    body: encodeRows([0, 1, 2].flatMap((index) => request(row, index))),
    headers: { 'content-type': 'application/octet-stream', 'x-thalweg-token': 'apis' },
  });
  expect(answer.status).toBe(200);
  const search = `/tempo/api/search?q=${encodeURIComponent('{ }')}&${rangeAround(startUs)}`;
  await vi.waitFor(async () => expect((await getJson(search)).traces.length).toBe(3), 20_000);
  return {
    url: server.url,
    get,
    getJson,
    close: async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** client → gateway → orders; the last hop fails in the second of three requests. */
function request(row: ReturnType<typeof createRowMaker>, index: number): L7Row[] {
  const wire = BigInt(100 * (index + 1));
  const common = { request_resource: `/orders/${index}`, endpoint: '/orders/*' };
  const offsetUs = index * 1e6;
  const status = index === 1 ? { response_code: 502, response_status: 3 } : {};
  const inner = { ...common, ...status, wire_id: wire + 1n };
  return [
    row(offsetUs, { ...common, wire_id: wire, observation_point: 'c-p', app_service: 'client' }),
    row(offsetUs + 10, {
      ...common,
      wire_id: wire,
      observation_point: 's-p',
      app_service: 'gateway',
    }),
    row(offsetUs + 20, {
      ...inner,
      parent_wire_id: wire,
      link_probability: 0.97,
      link_evidence: 2,
      observation_point: 'c-p',
      app_service: 'gateway',
    }),
    row(offsetUs + 30, {
      ...inner,
      observation_point: 's-p',
      app_service: 'orders',
      attribute_names: ['http.request.header.x-tier'],
      attribute_values: [index === 2 ? 'gold' : 'silver'],
    }),
  ];
}
