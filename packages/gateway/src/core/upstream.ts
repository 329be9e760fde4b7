import type { Ask, Balancer, Node } from './balance/balancer.ts';
import { createConsistentHash } from './balance/consistent-hash.ts';
import { createLeastConnections } from './balance/least-connections.ts';
import { createMovingAverage } from './balance/moving-average.ts';
import { createRoundRobin } from './balance/round-robin.ts';
import type { HealthBook } from './health/health-book.ts';
import { type NodeSource, openNodes } from './node-source.ts';
import type { Timeouts, UpstreamObject } from './objects.ts';
import type { RequestContext } from './request-context.ts';
import { timerMs } from './timer-ms.ts';

/** One try to get an answer: what `upstream_addr`, `upstream_status` and spans show. */
export interface UpstreamTry {
  readonly node: Node;
  readonly startMs: number;
  /** Undefined while it is open, and when no head came. */
  status: number | undefined;
  /** Unix ms at which the connection stood; equal to `startMs` when it was kept from before. */
  connectedMs: number;
  headerMs: number;
  endMs: number;
}

export interface UpstreamTimeouts {
  readonly connectMs: number;
  readonly sendMs: number;
  readonly readMs: number;
}

/** Nodes, the choice among them, and what is known of them. */
export interface Upstream {
  /** `/apisix/upstreams/1`, `/apisix/routes/1`: where it is configured. */
  readonly name: string;
  readonly object: UpstreamObject;
  readonly timeouts: UpstreamTimeouts;
  /** Further tries after the first one. */
  retries(): number;
  /** 0: none. */
  readonly retryTimeoutMs: number;
  /** Undefined when every node can be picked at once; else wait for the names to be resolved. */
  ready(): Promise<void> | undefined;
  nodes(): readonly Node[];
  /** Undefined when every node was tried, or there is none. */
  pick(context: RequestContext, tried: readonly Node[], nowMs: number): Node | undefined;
  begin(node: Node): void;
  end(node: Node, elapsedMs: number, nowMs: number): void;
  readonly health: HealthBook | undefined;
}

/** nginx's `proxy_*_timeout`. */
const DEFAULT_TIMEOUT_S = 60;

export interface UpstreamParts {
  readonly name: string;
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly now: () => number;
  readonly random: () => number;
  readonly health: HealthBook | undefined;
}

export function createUpstream(object: UpstreamObject, parts: UpstreamParts): Upstream {
  const { name, resolve, now, random, health } = parts;
  let groups: readonly Balancer[] = [];
  /** The node where there is nothing to choose: one, whose balancer counts nothing. */
  let only: Node | undefined;
  /** Of nodes whose balancer counts what is under way. */
  const byKey = new Map<string, Balancer>();
  const source: NodeSource = openNodes(object, { resolve, now, onChange: regroup });
  regroup(source.nodes());

  function regroup(nodes: readonly Node[]): void {
    const priorities = [...new Set(nodes.map(({ priority }) => priority))].sort((a, b) => b - a);
    byKey.clear();
    groups = priorities.map((priority) => {
      const members = nodes.filter((node) => node.priority === priority);
      const balancer = balancerOf(object.type ?? 'roundrobin', members, random);
      const counts = balancer.begin !== undefined || balancer.end !== undefined;
      if (counts) for (const member of members) byKey.set(member.key, balancer);
      return balancer;
    });
    const [first] = nodes;
    const isOnly = nodes.length === 1 && byKey.size === 0 && first !== undefined;
    only = isOnly && first.weight > 0 ? first : undefined;
  }

  function pickFrom(ask: Ask): Node | undefined {
    for (const group of groups) {
      const node = group.pick(ask);
      if (node !== undefined) return node;
    }
    return undefined;
  }

  return {
    name,
    object,
    health,
    timeouts: timeoutsOf(object.timeout),
    retryTimeoutMs: (object.retry_timeout ?? 0) * 1_000,
    retries: () => object.retries ?? Math.max(0, source.nodes().length - 1),
    ready: source.ready,
    nodes: source.nodes,
    pick(context, tried, nowMs) {
      if (only !== undefined) return tried.length === 0 ? only : undefined;
      const isFresh = (node: Node): boolean => !tried.includes(node);
      const hashKey = (): string => hashKeyOf(object, context);
      const isKnownBad = health?.hasUnhealthy() === true && source.nodes().length > 1;
      if (isKnownBad) {
        const isUsable = (node: Node): boolean => isFresh(node) && health.isUsable(node);
        const node = pickFrom({ isUsable, hashKey, nowMs });
        if (node !== undefined) return node;
        // All unhealthy: fail open, rather than refuse what might be served.
        if (source.nodes().some((one) => health.isUsable(one))) return undefined;
      }
      return pickFrom({ isUsable: isFresh, hashKey, nowMs });
    },
    begin(node) {
      if (byKey.size > 0) byKey.get(node.key)?.begin?.(node);
    },
    end(node, elapsedMs, nowMs) {
      if (byKey.size > 0) byKey.get(node.key)?.end?.(node, elapsedMs, nowMs);
    },
  };
}

function balancerOf(type: string, nodes: readonly Node[], random: () => number): Balancer {
  switch (type) {
    case 'chash':
      return createConsistentHash(nodes);
    case 'least_conn':
      return createLeastConnections(nodes);
    case 'ewma':
      return createMovingAverage(nodes, random);
    default:
      return createRoundRobin(nodes);
  }
}

/** What `chash` goes by; the client's address when the configured thing has no value. */
function hashKeyOf(object: UpstreamObject, context: RequestContext): string {
  const key = object.key ?? '';
  const value = ((): string | undefined => {
    switch (object.hash_on) {
      case 'header':
        return context.headers.get(key.toLowerCase());
      case 'cookie':
        return context.cookie(key);
      case 'consumer':
        return context.consumer?.username;
      case 'vars_combinations':
        return combined(key, context);
      default:
        return context.variable(key);
    }
  })();
  return value === undefined || value === '' ? context.clientIp : value;
}

/** Text with its variables filled in; undefined when none of them has a value. */
function combined(key: string, context: RequestContext): string | undefined {
  let hasValue = false;
  const text = key.replace(/\$\{?(\w+)\}?/g, (_, name: string) => {
    const value = context.variable(name);
    if (value !== undefined && value !== '') hasValue = true;
    return value ?? '';
  });
  return hasValue ? text : undefined;
}

export function timeoutsOf(given: Timeouts | undefined): UpstreamTimeouts {
  return {
    connectMs: timerMs((given?.connect ?? DEFAULT_TIMEOUT_S) * 1_000),
    sendMs: timerMs((given?.send ?? DEFAULT_TIMEOUT_S) * 1_000),
    readMs: timerMs((given?.read ?? DEFAULT_TIMEOUT_S) * 1_000),
  };
}
