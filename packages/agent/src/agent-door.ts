import type { ServerResponse } from 'node:http';
import { type Door, type HttpListener, listenHttp } from '@thalweg/integration';

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

/**
 * The agent's one port: /status and /metrics of its own, everything else is received (or answered
 * with 404 and the paths there are). Rejects with `EADDRINUSE` and the like, as node:net gives them.
 */
export function openAgentDoor(
  options: { readonly host: string; readonly port: number; readonly door: Door },
  status: () => AgentStatus,
): Promise<HttpListener> {
  const { host, port, door } = options;
  return listenHttp({ host, port, accounts: door.accounts }, (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    const isOurs = path === '/status' || path === '/metrics';
    if (!isOurs || !door.isAllowed(request)) void door.handle(request, response);
    else if (path === '/status') {
      answer(
        response,
        'application/json',
        JSON.stringify({ ...status(), senders: door.senders() }),
      );
    } else answer(response, 'text/plain; version=0.0.4', metricsText(status()));
  });
}

function answer(response: ServerResponse, type: string, body: string): void {
  response.setHeader('content-type', type);
  response.end(body);
}

/** Counters by dotted name become `thalweg_agent_<name>`. */
function metricsText({ counters, isAttached }: AgentStatus): string {
  const lines = Object.entries(counters).map(
    ([name, value]) => `thalweg_agent_${name.replace(/[^a-zA-Z0-9]/g, '_')} ${value}`,
  );
  return [...lines, `thalweg_agent_attached ${isAttached ? 1 : 0}`, ''].join('\n');
}
