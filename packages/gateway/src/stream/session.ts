import type { Node } from '../core/balance/balancer.ts';
import { runPhase } from '../core/chain.ts';
import type { ForwardingParts } from '../core/forwarding.ts';
import type { UpstreamFailure } from '../core/http/upstream-connection.ts';
import { makeContext } from '../core/make-context.ts';
import type { Warn } from '../core/own-log.ts';
import type { Peer, RequestContext } from '../core/request-context.ts';
import { timeoutsOf, type Upstream, type UpstreamTimeouts } from '../core/upstream.ts';
import { type FirstOctets, offerFirstOctets } from './first-octets.ts';
import type { StreamCounters } from './stream-counters.ts';
import type { ReadyStreamRoute, StreamRoutes } from './stream-routes.ts';

/** What sessions ask of the rest of the gateway. */
export interface SessionParts {
  readonly routes: StreamRoutes;
  readonly counters: StreamCounters;
  now(): number;
  readonly destination: ForwardingParts['destination'];
  report(upstream: Upstream, node: Node, outcome: UpstreamFailure): void;
  /** Called once for each session, at its end. */
  logged(context: RequestContext): void;
  readonly warn: Warn;
}

/** One connection, or one client's datagrams, that a route has taken. */
export interface Session {
  readonly context: RequestContext;
  readonly upstream: Upstream;
  readonly timeouts: UpstreamTimeouts;
  /** Another node to try; undefined when there is none, or enough were tried. */
  nextNode(): Node | undefined;
  /** The node of the last try could not be reached. */
  failed(why: UpstreamFailure): void;
  /** It is over. Octets as the client has sent and got them. Called once. */
  close(octets: { readonly received: number; readonly sent: number }): void;
}

/** Source: nginx, ngx_stream_core_module, `$status`. */
const STATUS = { good: '200', refused: '403', bad: '502', none: '503' } as const;

/** Matches, asks the plugins, finds the upstream. Undefined when the client is to be sent away. */
export async function openSession(
  peer: Peer,
  protocol: 'TCP' | 'UDP',
  parts: SessionParts,
  first?: FirstOctets,
): Promise<Session | undefined> {
  const startMs = parts.now();
  const context = makeContext({ method: protocol, host: '', target: '/', peer, startMs });
  context.setVariable('protocol', protocol);
  if (first !== undefined) offerFirstOctets(context, first);
  const route = parts.routes.match(peer);
  if (route === undefined) {
    over(context, undefined, STATUS.none, NOTHING, parts);
    return undefined;
  }
  context.route = route.matched;
  parts.counters.opened(route.matched.id, listenOf(peer));
  const isIn = await admitted(context, route, parts);
  const upstream = isIn ? (context.upstream ?? route.upstream()) : undefined;
  if (upstream === undefined) {
    over(context, route, isIn ? STATUS.none : STATUS.refused, NOTHING, parts);
    return undefined;
  }
  context.upstream = upstream;
  await upstream.ready();
  return createSession(context, route, upstream, parts);
}

const NOTHING = { received: 0, sent: 0 };

async function admitted(
  context: RequestContext,
  { chain }: ReadyStreamRoute,
  { warn }: SessionParts,
): Promise<boolean> {
  try {
    return (await runPhase(chain.access, 'access', context)) === undefined;
  } catch (error) {
    warn(pluginFailure(error), 'error');
    return false;
  }
}

function createSession(
  context: RequestContext,
  route: ReadyStreamRoute,
  upstream: Upstream,
  parts: SessionParts,
): Session {
  const tried: Node[] = [];
  let current: Node | undefined;
  let isOver = false;

  function endTry(): void {
    const last = context.tries.at(-1);
    if (current === undefined || last === undefined) return;
    last.endMs = parts.now();
    upstream.end(current, last.endMs - last.startMs, last.endMs);
    current = undefined;
  }

  return {
    context,
    upstream,
    timeouts: upstream.timeouts ?? timeoutsOf(undefined),
    nextNode() {
      if (tried.length > upstream.retries()) return undefined;
      const startMs = parts.now();
      const node = upstream.pick(context, tried, startMs);
      if (node === undefined) return undefined;
      tried.push(node);
      current = node;
      context.tries.push({
        node,
        startMs,
        status: undefined,
        connectedMs: 0,
        headerMs: 0,
        endMs: 0,
      });
      upstream.begin(node);
      return node;
    },
    failed(why) {
      if (current !== undefined) parts.report(upstream, current, why);
      endTry();
    },
    close(octets) {
      if (isOver) return;
      isOver = true;
      const isGood = current !== undefined;
      endTry();
      const status = isGood ? STATUS.good : tried.length === 0 ? STATUS.none : STATUS.bad;
      over(context, route, status, octets, parts);
    },
  };
}

function over(
  context: RequestContext,
  route: ReadyStreamRoute | undefined,
  status: string,
  { received, sent }: { readonly received: number; readonly sent: number },
  { now, logged, counters, warn }: SessionParts,
): void {
  context.endMs = now();
  context.setVariable('status', status);
  context.setVariable('bytes_received', String(received));
  context.setVariable('bytes_sent', String(sent));
  context.setVariable('session_time', ((context.endMs - context.startMs) / 1_000).toFixed(3));
  for (const step of route?.chain.log ?? []) {
    try {
      if (step.accepts?.(context) !== false) step.handlers.log?.(context);
    } catch (error) {
      warn(pluginFailure(error), 'error');
    }
  }
  if (route !== undefined) counters.closed(listenOf(context.peer));
  logged(context);
}

function pluginFailure(error: unknown): string {
  return `a plugin failed: ${error instanceof Error ? error.message : String(error)}`;
}

function listenOf({ localAddress, localPort }: Peer): string {
  return `${localAddress}:${localPort}`;
}
