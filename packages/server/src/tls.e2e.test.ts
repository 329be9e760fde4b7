import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Server, ServerSettings, startServer } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'thalweg-tls-'));
const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
let server: Server;

/** A pair of its own each time, put in place as a renewal does: the key first. */
function renew(name: string): void {
  const [newCert, newKey] = [`${cert}.new`, `${key}.new`];
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const to = ['-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', newKey, '-out', newCert];
  execFileSync('openssl', [...words, ...to, '-addext', 'subjectAltName=IP:127.0.0.1'], {
    stdio: 'ignore',
  });
  renameSync(newKey, key);
  renameSync(newCert, cert);
}

beforeAll(async () => {
  renew('first');
  const settings = ServerSettings.parse({
    port: 0,
    data_dir: join(folder, 'data'),
    otlp_tls_cert_file: cert,
    otlp_tls_key_file: key,
  });
  server = await startServer(settings, { version: 'test', logLevel: 'silent' });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Whose certificate the listener shows. */
function nameAt(url: string | undefined): Promise<string> {
  const { hostname, port } = new URL(url ?? '');
  return new Promise((resolve, reject) => {
    const options = { host: hostname, port: Number(port), rejectUnauthorized: false };
    const socket = connect({ ...options, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

function postLog(url: string): Promise<number> {
  const body = JSON.stringify({ resourceLogs: [] });
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers, rejectUnauthorized: false, agent: false };
    const sent = request(`${url}/v1/logs`, options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** grpc-status of an empty export. */
function exportNothing(url: string): Promise<string> {
  const client = connectHttp2(url, { rejectUnauthorized: false });
  const stream = client.request({
    ':method': 'POST',
    ':path': '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    'content-type': 'application/grpc',
  });
  return new Promise((resolve, reject) => {
    stream.on('error', reject);
    stream.on('trailers', (trailers) => resolve(String(trailers['grpc-status'])));
    stream.on('close', () => client.destroy());
    stream.resume();
    stream.end(new Uint8Array(5));
  });
}

test('OTLP over HTTP and over gRPC is taken with TLS', async () => {
  expect(server.otlpHttpUrl).toMatch(/^https:/);
  expect(await postLog(server.otlpHttpUrl ?? '')).toBe(200);
  expect(await exportNothing(server.otlpGrpcUrl ?? '')).toBe('0');
});

test('a pair that does not fit is told and not used; a renewed one is, without a restart', async () => {
  writeFileSync(cert, 'no certificate');
  const lastError = async (): Promise<string> => {
    const status = (await (await fetch(`${server.url}/api/status`)).json()) as {
      receivers: { lastError: string };
    };
    return status.receivers.lastError;
  };
  await expect.poll(lastError, { timeout: 20_000 }).toMatch(/^TLS of OTLP: /);
  expect(await nameAt(server.otlpHttpUrl)).toBe('first');
  renew('second');
  const urls = [server.otlpHttpUrl, server.otlpGrpcUrl, server.skywalkingGrpcUrl];
  await expect
    .poll(() => Promise.all(urls.map(nameAt)), { timeout: 20_000 })
    .toEqual(['second', 'second', 'second']);
  expect(await lastError()).toBe('');
});

test('files that are no pair end the start', async () => {
  const other = join(folder, 'other.pem');
  writeFileSync(other, 'no key');
  const settings = ServerSettings.parse({
    port: 0,
    data_dir: join(folder, 'other'),
    otlp_tls_cert_file: cert,
    otlp_tls_key_file: other,
  });
  const started = startServer(settings, { version: 'test', logLevel: 'silent' });
  await expect(started).rejects.toMatchObject({
    code: 'start_failed',
    fix: 'name both files in PEM, readable by this user, or none',
  });
});
