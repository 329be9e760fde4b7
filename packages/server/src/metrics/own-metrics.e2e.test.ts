import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerSettings } from '../config.ts';
import { type Server, startServer } from '../main.ts';

// The server's own metrics are series, asked for by Debian's promtool.

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'thalweg-own-'));
let server: Server;

beforeAll(async () => {
  const settings = ServerSettings.parse({ port: 0, data_dir: folder, self_scrape_s: 1 });
  server = await startServer(settings, { version: 'test', logLevel: 'silent' });
  const headers = { 'content-type': 'application/json' };
  const log = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'a' } }] }] }] };
  await fetch(`${server.url}/v1/logs`, { method: 'POST', headers, body: JSON.stringify(log) });
  await fetch(`${server.url}/v1/logs`, { method: 'POST', headers, body: 'no' });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function promtool(...words: string[]): Promise<string> {
  return (await run('promtool', ['query', ...words])).stdout;
}

test('promtool finds what a sender sent, at an instant and over a range', async () => {
  const url = `${server.url}/prom`;
  const rows = 'thalweg_sender_rows{receiver="otlp_logs"}';
  const labels = `instance="${new URL(server.url).host}", job="thalweg", receiver="otlp_logs", sender="127.0.0.1"`;
  await expect
    .poll(() => promtool('instant', url, rows), { timeout: 30_000, interval: 500 })
    .toContain(`thalweg_sender_rows{${labels}} => 1 @`);
  expect(await promtool('instant', url, 'thalweg_sender_failed{receiver="otlp_logs"}')).toContain(
    '=> 1 @',
  );
  const endS = Math.ceil(Date.now() / 1e3);
  const range = ['--start', `${endS - 60}`, '--end', `${endS}`, '--step', '1s'];
  expect(await promtool('range', ...range, url, rows)).toContain(`{${labels}} =>\n1 @[`);
});

test('promtool lists series and labels', async () => {
  const url = `${server.url}/prom`;
  const series = await promtool('series', '--match', 'thalweg_agents', url);
  expect(series.trim()).toBe(
    `{__name__="thalweg_agents", instance="${new URL(server.url).host}", job="thalweg"}`,
  );
  expect((await promtool('labels', url, 'job')).trim()).toBe('thalweg');
});

test('promtool is told what is wrong with a query', async () => {
  const failed = promtool('instant', `${server.url}/prom`, 'sum(');
  await expect(failed).rejects.toMatchObject({ stderr: expect.stringContaining('parse error') });
});
