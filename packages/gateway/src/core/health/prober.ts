import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Hub } from '../../workers/hub.ts';
import type { Node } from '../balance/balancer.ts';
import type { Upstream } from '../upstream.ts';
import { type ActiveCheck, activeCheck } from './checks.ts';
import { CLAIMS } from './claims.ts';
import type { HealthEvent } from './health-book.ts';

/**
 * Asks nodes how they are, each at its own interval, while their upstream is in use. Of several
 * processes one asks, and tells the others.
 */
export interface Prober {
  /** Starts the probes that are due; called a few times a second. */
  tick(): void;
  close(): void;
}

/** Probes under way at once, over all upstreams. */
const PROBES_MAX = 64;

interface Outcome {
  readonly event: HealthEvent | undefined;
  readonly reason: string;
}

export function createProber(
  upstreams: () => readonly Upstream[],
  now: () => number,
  hub: Hub,
): Prober {
  const claims = hub.common(CLAIMS, 'probes', undefined);
  const dueMs = new Map<string, number>();
  const running = new Set<string>();
  const stopping = new AbortController();

  async function probe(
    upstream: Upstream,
    node: Node,
    check: ActiveCheck,
    id: string,
  ): Promise<void> {
    running.add(id);
    const othersMs = await claims.take(id, hub.process, now(), intervalOf(upstream, node, check));
    if (othersMs > 0) {
      running.delete(id);
      dueMs.set(id, now() + othersMs);
      return;
    }
    const { event, reason } = await ask(upstream, node, check, stopping.signal);
    running.delete(id);
    if (stopping.signal.aborted) return;
    if (event !== undefined) upstream.health?.report(node, event, check.thresholds, reason);
    dueMs.set(id, now() + intervalOf(upstream, node, check));
  }

  return {
    tick() {
      const seen = new Set<string>();
      for (const upstream of upstreams()) {
        const check =
          upstream.health === undefined ? undefined : activeCheck(upstream.object.checks);
        if (check === undefined) continue;
        for (const node of upstream.nodes()) {
          const id = `${upstream.name} ${node.key}`;
          seen.add(id);
          if (running.has(id) || running.size >= PROBES_MAX || (dueMs.get(id) ?? 0) > now())
            continue;
          void probe(upstream, node, check, id);
        }
      }
      for (const id of dueMs.keys()) if (!seen.has(id)) dueMs.delete(id);
    },
    close: () => stopping.abort(),
  };
}

function intervalOf({ health }: Upstream, node: Node, check: ActiveCheck): number {
  return (health?.isUsable(node) ?? true) ? check.healthyIntervalMs : check.unhealthyIntervalMs;
}

function ask(
  upstream: Upstream,
  node: Node,
  check: ActiveCheck,
  signal: AbortSignal,
): Promise<Outcome> {
  return check.type === 'tcp'
    ? askTcp(node, check, signal)
    : askHttp(upstream, node, check, signal);
}

function askTcp(
  node: Node,
  { timeoutMs, port }: ActiveCheck,
  signal: AbortSignal,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: node.address, port: port ?? node.port, signal });
    const settle = (event: HealthEvent, reason: string): void => {
      socket.destroy();
      resolve({ event, reason });
    };
    socket.setTimeout(timeoutMs, () =>
      settle('timeout_failure', `no connection in ${timeoutMs} ms`),
    );
    socket.on('connect', () => settle('success', 'connected'));
    socket.on('error', ({ message }) => settle('tcp_failure', message));
  });
}

function askHttp(
  { object }: Upstream,
  node: Node,
  check: ActiveCheck,
  signal: AbortSignal,
): Promise<Outcome> {
  const host = check.host ?? (object.pass_host === 'rewrite' ? object.upstream_host : undefined);
  const headers = Object.fromEntries(
    check.headers.flatMap((line) => {
      const at = line.indexOf(':');
      return at < 0 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()]];
    }),
  );
  const send = check.type === 'https' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const request = send({
      host: node.address,
      port: check.port ?? node.port,
      method: check.method,
      path: check.path,
      headers: { Host: host ?? node.host, ...headers },
      rejectUnauthorized: check.verifiesCertificate,
      timeout: check.timeoutMs,
      signal,
    });
    request.on('timeout', () => {
      resolve({ event: 'timeout_failure', reason: `no answer in ${check.timeoutMs} ms` });
      request.destroy();
    });
    request.on('error', ({ message }) => resolve({ event: 'tcp_failure', reason: message }));
    request.on('response', (response) => {
      response.resume();
      resolve(judged(response.statusCode ?? 0, check));
    });
    request.end(check.body);
  });
}

/** A status in neither list says nothing. */
function judged(status: number, check: ActiveCheck): Outcome {
  const reason = `status ${status}`;
  if (check.healthyStatuses.has(status)) return { event: 'success', reason };
  return { event: check.unhealthyStatuses.has(status) ? 'http_failure' : undefined, reason };
}
