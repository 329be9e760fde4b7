import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readRecords } from '@thalweg/wire';
import { type Neighbour, startNginx } from './links/neighbours.ts';
import { childrenOf } from './process-use.ts';

/** The size of the upstream's answer, in bytes. */
const BODY_BYTES = 1_024;
const IDLE_CONNECTIONS = 512;

/** What is beside the measured proxies: all of it on the other core. */
export interface GatewayLab {
  /** The core that whatever is measured is pinned to. */
  readonly core: number;
  readonly originPort: number;
  /** nginx as a keep-alive proxy in front of the origin, one worker. */
  readonly nginx: { readonly port: number; readonly worker: number };
  readonly sink: SpanSink;
  close(): Promise<void>;
}

/** A real OTLP/HTTP receiver that counts the spans it was sent. */
export interface SpanSink {
  readonly port: number;
  spans(): number;
  close(): void;
}

/**
 * Pins this process (and so what it starts: load, origin) to one core, and the measured ones to
 * another.
 */
export async function openGatewayLab(): Promise<GatewayLab> {
  const [core, ...others] = allowedCores();
  if (core === undefined || others.length === 0) {
    throw new Error('bench gateway needs two cores; fix: allow this process another core');
  }
  pin(others.join(','));
  const closers: (() => Promise<void> | void)[] = [() => pin([core, ...others].join(','))];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  const opened = async (neighbour: Promise<Neighbour>): Promise<Neighbour> => {
    const one = await neighbour;
    closers.push(one.close);
    return one;
  };
  try {
    const origin = await opened(startNginx(originServer, { workers: 1 }));
    const proxy = await opened(startNginx(proxyServer(origin.port), { workers: 1, core }));
    const [worker] = childrenOf(proxy.pid);
    if (worker === undefined) throw new Error('nginx has no worker');
    const sink = await openSpanSink();
    closers.push(sink.close);
    return { core, originPort: origin.port, nginx: { port: proxy.port, worker }, sink, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A fixed text for any path: the cheapest upstream there is, so that the proxy is the bottleneck. */
function originServer(port: number): string {
  const body = 'x'.repeat(BODY_BYTES);
  return `server { listen 127.0.0.1:${port} backlog=4096; location / { return 200 '${body}'; } }`;
}

function proxyServer(originPort: number): (port: number) => string {
  return (port) => `upstream origin {
    server 127.0.0.1:${originPort}; keepalive ${IDLE_CONNECTIONS}; keepalive_requests 1000000;
  }
  server { listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; } }`;
}

async function openSpanSink(): Promise<SpanSink> {
  let count = 0;
  const ignore = (): void => undefined;
  const item = (): void => {
    count += 1;
  };
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const fault = readRecords(Buffer.concat(pieces), { resource: ignore, scope: ignore, item });
      response.writeHead(fault === '' ? 200 : 400).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // A TCP server's address is one.
  return {
    port,
    spans: () => count,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** All threads of this process; children inherit it. */
function pin(cores: string): void {
  execFileSync('taskset', ['-acp', cores, String(process.pid)], { stdio: 'ignore' });
}

/** The cores that this process may run on, rising. Source: proc(5), `Cpus_allowed_list`. */
function allowedCores(): readonly number[] {
  const list = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return (list ?? '').split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
}
