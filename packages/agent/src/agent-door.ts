import type { ServerResponse } from 'node:http';
import { type Door, type HttpListener, listenHttp } from '@thalweg/integration';
import type { ServiceCalibration } from './trace/calibration.ts';

/** What an agent says of itself: JSON at /status, Prometheus text at /metrics. */
export interface AgentStatus {
  readonly name: string;
  readonly pid: number;
  readonly isAttached: boolean;
  readonly rung: string;
  readonly reason: string;
  readonly counters: Readonly<Record<string, number>>;
  readonly links: readonly ServiceCalibration[];
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
function metricsText({ counters, links, isAttached }: AgentStatus): string {
  const lines = Object.entries(counters).map(
    ([name, value]) => `thalweg_agent_${name.replace(/[^a-zA-Z0-9]/g, '_')} ${value}`,
  );
  const attached = `thalweg_agent_attached ${isAttached ? 1 : 0}`;
  return [...lines, ...links.flatMap(linkLines), attached, ''].join('\n');
}

/** Calls that evidence alone linked, by what the ids of the traffic say of it. */
function linkLines({ service, ...counts }: ServiceCalibration): readonly string[] {
  const { right, wrong, open, solidRight, solidWrong } = counts;
  const name = service.replace(/[\\"\n]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`));
  const line = (metric: string, verdict: string, value: number): string =>
    `thalweg_agent_${metric}{service="${name}",verdict="${verdict}"} ${value}`;
  return [
    line('links_compared', 'right', right),
    line('links_compared', 'wrong', wrong),
    line('links_compared', 'open', open),
    line('links_compared_solid', 'right', solidRight),
    line('links_compared_solid', 'wrong', solidWrong),
  ];
}
