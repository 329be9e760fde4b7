import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerSettings } from './config.ts';
import { type Server, startServer } from './main.ts';
import { warmUp } from './warm-up.ts';

const TOKEN = 'a-token-of-the-warm-up-test';
const folder = mkdtempSync(join(tmpdir(), 'thalweg-warm-'));
let server: Server;

beforeAll(async () => {
  const given = { port: 0, data_dir: folder, self_scrape_s: 0, token: TOKEN };
  const settings = ServerSettings.parse(given);
  server = await startServer(settings, { version: 'test', logLevel: 'silent', warmsUp: true });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function data(path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await fetch(`${server.url}/prom/api/v1/${path}`, { headers });
  return ((await answer.json()) as { data: unknown }).data;
}

test('every query of the warm-up is answered, and no series, label or request is left of it', async () => {
  const { signal } = new AbortController();
  expect(await warmUp(server.url, { token: TOKEN, signal })).toBe(600);
  expect(await data('labels?match[]={__name__=~".%2B"}')).toEqual([]);
  expect(await data('series?match[]={__name__=~".%2B"}')).toEqual([]);
  expect(await data('status/tsdb')).toMatchObject({ headStats: { numSeries: 0 } });
});

test('it ends when it is told to', async () => {
  const signal = AbortSignal.abort();
  expect(await warmUp(server.url, { token: TOKEN, signal })).toBe(0);
});
