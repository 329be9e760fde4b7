// A server that is killed has every sample that it acknowledged, as soon as it is back.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createProtoWriter, snappyEncode } from '@thalweg/wire';
import { expect, onTestFinished, test } from 'vitest';

const LAUNCHER = fileURLToPath(new URL('../../../thalweg', import.meta.url));
const SERIES = 500;
const BODIES = 6;
const HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};

/** A sample of each series; bodies are seconds apart. */
function bodyAt(at: number, startMs: number): Uint8Array<ArrayBuffer> {
  const writer = createProtoWriter();
  for (let series = 0; series < SERIES; series += 1) {
    writer.messageField(1, () => {
      for (const [name, value] of [
        ['__name__', 'kept_total'],
        ['series', String(series)],
      ] as const) {
        writer.messageField(1, () => {
          writer.textField(1, name);
          writer.textField(2, value);
        });
      }
      writer.messageField(2, () => {
        writer.doubleField(1, at);
        writer.signedField(2, startMs + at * 1_000);
      });
    });
  }
  return snappyEncode(writer.finish());
}

async function started(folder: string): Promise<{ child: ChildProcess; url: string }> {
  const ports = ['THALWEG_SERVER_OTLP_GRPC_PORT', 'THALWEG_SERVER_OTLP_HTTP_PORT'];
  ports.push('THALWEG_SERVER_SKYWALKING_GRPC_PORT');
  const child = spawn(LAUNCHER, ['server', '--port', '0', '--data-dir', folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...Object.fromEntries(ports.map((name) => [name, 'off'])) },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${text}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
      if (found !== undefined) resolve(found);
    });
  });
  return { child, url };
}

async function samplesAt(url: string): Promise<number> {
  const query = new URLSearchParams({ query: 'sum(count_over_time(kept_total[1h]))' });
  const answer = await fetch(`${url}/prom/api/v1/query?${query}`);
  const { data } = (await answer.json()) as { data: { result: [{ value: [number, string] }?] } };
  return Number(data.result[0]?.value[1] ?? 0);
}

test('samples of remote write that were acknowledged before a kill are there after it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-killed-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const startMs = Date.now() - 60_000;
  for (let kill = 0; kill < 3; kill += 1) {
    const { child, url } = await started(folder);
    expect(await samplesAt(url)).toBe(kill * BODIES * SERIES);
    for (let body = 0; body < BODIES; body += 1) {
      const bytes = bodyAt(kill * BODIES + body, startMs);
      const answer = await fetch(`${url}/api/v1/write`, {
        method: 'POST',
        headers: HEADERS,
        body: bytes,
      });
      expect([answer.status, await answer.text()]).toEqual([204, '']);
    }
    const ended = once(child, 'exit');
    process.kill(child.pid ?? 0, 'SIGKILL');
    await ended;
  }
});
