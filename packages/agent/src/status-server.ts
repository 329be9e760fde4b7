import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an agent says of itself: JSON at /status, Prometheus text at /metrics. */
export interface AgentStatus {
  readonly name: string;
  readonly pid: number;
  readonly isAttached: boolean;
  readonly rung: string;
  readonly reason: string;
  readonly counters: Readonly<Record<string, number>>;
  readonly lastError: string;
}

export interface StatusServer {
  readonly url: string;
  close(): void;
}

/** Serves on loopback only. Rejects with `EADDRINUSE` and the like, as node:net gives them. */
export async function startStatusServer(
  port: number,
  status: () => AgentStatus,
): Promise<StatusServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/status') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(status()));
    } else if (path === '/metrics') {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end(metricsText(status()));
    } else {
      response.statusCode = 404;
      response.end('try /status or /metrics\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  server.unref();
  const { port: bound } = server.address() as AddressInfo; // A TCP server's address is one.
  return {
    url: `http://127.0.0.1:${bound}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Counters by dotted name become `thalweg_agent_<name>`. */
function metricsText({ counters, isAttached }: AgentStatus): string {
  const lines = Object.entries(counters).map(
    ([name, value]) => `thalweg_agent_${name.replace(/[^a-zA-Z0-9]/g, '_')} ${value}`,
  );
  return [...lines, `thalweg_agent_attached ${isAttached ? 1 : 0}`, ''].join('\n');
}
