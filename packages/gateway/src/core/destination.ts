import type { Store } from '../store/store.ts';
import type { Node } from './balance/balancer.ts';
import type { Destination } from './http/upstream-pool.ts';
import type { RequestContext } from './request-context.ts';
import type { Upstream, UpstreamTimeouts } from './upstream.ts';
import { serverNameFor } from './upstream-request.ts';

export interface KeepAliveDefaults {
  readonly idleMax: number;
  readonly idleMs: number;
  readonly requestsMax: number;
}

/** A node's destination without TLS depends on nothing else: it is made once. */
interface PlainDestination {
  readonly node: Node;
  readonly object: Upstream['object'];
  readonly scheme: string;
  readonly to: Destination;
}

/** Where a try goes: connections to the same place by the same name and certificate are shared. */
export function destinationOf(store: Store, defaults: KeepAliveDefaults) {
  const plain = new WeakMap<Node, PlainDestination>();
  /** Many requests go where the last one went. */
  let last: PlainDestination | undefined;
  return (
    context: RequestContext,
    upstream: Upstream,
    node: Node,
    { connectMs }: UpstreamTimeouts,
  ): Destination => {
    const { object } = upstream;
    const known = last?.node === node ? last : plain.get(node);
    if (known?.object === object && known.to.connectMs === connectMs) {
      last = known;
      if ((context.upstreamScheme ?? object.scheme ?? 'http') === known.scheme) return known.to;
    }
    const { keepalive_pool: pool, tls } = object;
    const scheme = context.upstreamScheme ?? object.scheme ?? 'http';
    const isTls = scheme === 'https' || scheme === 'grpcs' || scheme === 'tls';
    const serverName = isTls ? serverNameFor(context, upstream, node) : '';
    const own =
      tls?.client_cert_id === undefined ? undefined : store.get(`/ssls/${tls.client_cert_id}`);
    const cert = text(own?.value['cert']) ?? tls?.client_cert;
    const to: Destination = {
      key: isTls ? `${node.key} ${serverName} ${cert ?? ''}` : node.key,
      address: node.address,
      port: node.port,
      isHttp2: scheme === 'grpc' || scheme === 'grpcs',
      connectMs,
      tls: isTls
        ? {
            serverName,
            cert,
            privateKey: text(own?.value['key']) ?? tls?.client_key,
            verify: tls?.verify === true,
          }
        : undefined,
      idleMax: pool?.size ?? defaults.idleMax,
      idleMs: pool?.idle_timeout === undefined ? defaults.idleMs : pool.idle_timeout * 1_000,
      requestsMax: pool?.requests ?? defaults.requestsMax,
    };
    if (!isTls) plain.set(node, { node, object, scheme, to });
    return to;
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
