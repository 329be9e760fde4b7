import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRunFolder } from '@thalweg/demo';
import { childrenOf } from './process-use.ts';

/** nginx proxying to nginx, one worker each, on loopback: the worst case of a traced gateway. */
export interface NginxPair {
  readonly url: string;
  readonly ports: readonly [proxy: number, origin: number];
  /** Process ids of the two workers. */
  readonly workers: readonly number[];
  close(): void;
}

const BODY_BYTES = 612; // The size of nginx's welcome page, which published figures use.
const START_MS = 5_000;

export async function startNginxPair(ports: readonly [number, number]): Promise<NginxPair> {
  const temporary = makeRunFolder('bench');
  const folder = temporary.path;
  const [proxyPort, originPort] = ports;
  mkdirSync(join(folder, 'html'));
  writeFileSync(join(folder, 'html/index.html'), 'x'.repeat(BODY_BYTES));
  const origin = start(
    folder,
    'origin',
    `server {
    listen 127.0.0.1:${originPort} reuseport; root ${folder}/html; keepalive_requests 1000000;
  }`,
  );
  const proxy = start(
    folder,
    'proxy',
    `upstream origin {
    server 127.0.0.1:${originPort}; keepalive 512; keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${proxyPort} reuseport; keepalive_requests 1000000;
    location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }`,
  );
  const url = `http://127.0.0.1:${proxyPort}/`;

  // A second Ctrl-C ends this process at once: what it started goes with it.
  const kill = (): void => [proxy, origin].forEach((one) => void one.kill('SIGTERM'));
  process.once('exit', kill);

  function close(): void {
    process.off('exit', kill);
    for (const one of [proxy, origin]) one.kill('SIGQUIT');
    temporary.remove();
  }

  try {
    await answers(url);
  } catch (cause) {
    close();
    throw new Error('nginx did not start; fix: install nginx (make build does)', { cause });
  }
  const workers = [proxy, origin].flatMap(({ pid }) => (pid === undefined ? [] : childrenOf(pid)));
  return { url, ports, workers, close };
}

function start(folder: string, name: string, server: string): ChildProcess {
  const config = join(folder, `${name}.conf`);
  writeFileSync(
    config,
    `daemon off; user root; worker_processes 1; pid ${folder}/${name}.pid; error_log ${folder}/${name}.log;
events { worker_connections 4096; }
http { access_log off; default_type text/html; client_body_temp_path ${folder}/${name}-body;
  proxy_temp_path ${folder}/${name}-proxy; fastcgi_temp_path ${folder}/${name}-fastcgi;
  uwsgi_temp_path ${folder}/${name}-uwsgi; scgi_temp_path ${folder}/${name}-scgi;
${server} }
`,
  );
  return spawn('nginx', ['-p', folder, '-c', config], { stdio: 'ignore' });
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const status = await statusOf(url);
    if (status === 200) return;
    if (Date.now() > deadline) throw new Error(`no 200 from ${url}, last answer: ${status}`);
    await sleep(50);
  }
}

function statusOf(url: string): Promise<number | string> {
  return new Promise((resolve) => {
    const call = request(url, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    call.on('error', (error) => resolve(error.message));
    call.end();
  });
}
