import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceBehaviour } from './behaviour.ts';

/** A real program that a case runs. */
export interface Neighbour {
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

/** Java compiles its program first. */
const START_MS = 30_000;

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // A TCP server's address is one.
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** nginx that answers everything with a short text. */
export function startOrigin(): Promise<Neighbour> {
  return startNginx(
    (port) => `server { listen 127.0.0.1:${port} backlog=4096; location / { return 200 'ok'; } }`,
    { workers: 1 },
  );
}

/** nginx as a proxy; `keepAlive` is its pool of idle upstream connections, 0 for none. */
export function startProxy(
  upstreamPort: number,
  options: { keepAlive: number; workers: number },
): Promise<Neighbour> {
  const { keepAlive, workers } = options;
  const pool = keepAlive === 0 ? '' : `keepalive ${keepAlive}; keepalive_requests 1000000;`;
  const reuse = keepAlive === 0 ? '' : 'proxy_http_version 1.1; proxy_set_header Connection "";';
  return startNginx(
    (port) => `upstream next { server 127.0.0.1:${upstreamPort}; ${pool} }
  server { listen 127.0.0.1:${port} reuseport backlog=4096; location / { proxy_pass http://next; ${reuse} } }`,
    { workers },
  );
}

/** nginx with `server` in its http block; on one core where one is named. */
export async function startNginx(
  server: (port: number) => string,
  { workers, core }: { readonly workers: number; readonly core?: number },
): Promise<Neighbour> {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-links-'));
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  mkdirSync(join(folder, 'temp'));
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    config,
    `daemon off; user root; worker_processes ${workers}; pid ${folder}/pid; error_log ${folder}/log;
worker_rlimit_nofile 8192; events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000;
${temps.map((name) => `  ${name}_temp_path ${folder}/temp/${name};`).join('\n')}
  ${server(port)}
}
`,
  );
  const words = ['nginx', '-p', folder, '-c', config];
  const [program = '', ...rest] =
    core === undefined ? words : ['taskset', '-c', String(core), ...words];
  const child = spawn(program, rest, { stdio: 'ignore' });
  const close = async (): Promise<void> => {
    await ended(child, 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  return whenReady(child, port, 'nginx', close);
}

/** A Node service of this bench, calling `nextPort` for each request. */
export async function startService(
  nextPort: number,
  behaviour: ServiceBehaviour,
): Promise<Neighbour> {
  const isSource = import.meta.url.endsWith('.ts');
  const script = new URL(isSource ? './link-service.ts' : './link-service.js', import.meta.url);
  const child = fork(script, [String(nextPort), behaviour], {
    execArgv: isSource ? ['--conditions=@thalweg/source', '--import', 'tsx'] : [],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(Number(message)));
    child.once('exit', (code) => reject(new Error(`the Node service ended with ${code}`)));
  });
  return { port, pid: child.pid ?? 0, close: () => ended(child, 'SIGTERM') };
}

/** A thread a request, blocking calls: Python's standard library. */
export async function startThreadedService(nextPort: number): Promise<Neighbour> {
  const port = await freePort();
  const program = `
import http.client, http.server, threading
local = threading.local()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        if not hasattr(local, 'next'):
            local.next = http.client.HTTPConnection('127.0.0.1', ${nextPort})
        local.next.request('GET', '/c/' + self.path.split('/')[2] + '/0')
        local.next.getresponse().read()
        self.send_response(200)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'ok')
    def log_message(self, *args): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
Server(('127.0.0.1', ${port}), Handler).serve_forever()
`;
  const child = spawn('python3', ['-c', program], { stdio: 'ignore' });
  return whenReady(child, port, 'python3', () => ended(child, 'SIGTERM'));
}

export async function whenReady(
  child: ChildProcess,
  port: number,
  program: string,
  close: () => Promise<void>,
): Promise<Neighbour> {
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (cause) => {
      reject(new Error(`${program} did not start; fix: install it (make build does)`, { cause }));
    });
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
  });
  failed.catch(() => undefined);
  try {
    await Promise.race([listens(port), failed]);
  } catch (error) {
    await close();
    throw error;
  }
  return { port, pid: child.pid ?? 0, close };
}

/** Asks the kernel, so that no request of ours falls into the measured traffic. */
async function listens(port: number): Promise<void> {
  const deadline = Date.now() + START_MS;
  const { listListeners } = await import('@thalweg/agent');
  while (!listListeners().some((listener) => listener.port === port)) {
    if (Date.now() > deadline) throw new Error(`nothing listens on port ${port}`);
    await sleep(50);
  }
}

export async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  await exit;
}
