import { isIP } from 'node:net';
import type { Node } from './balance/balancer.ts';
import type { NodeObject, UpstreamObject } from './objects.ts';

/** A name is asked for again after so long; until the answer is there the old one serves. */
const NAME_TTL_MS = 10_000;

/** The nodes of an upstream with their names resolved. */
export interface NodeSource {
  nodes(): readonly Node[];
  ready(): Promise<void> | undefined;
}

export interface NodeSourceParts {
  resolve(host: string): Promise<readonly string[]>;
  now(): number;
  onChange(nodes: readonly Node[]): void;
}

/** Every address of a name is a node of its own. A name that cannot be resolved gives none. */
export function openNodes(object: UpstreamObject, parts: NodeSourceParts): NodeSource {
  const configured = configuredNodes(object);
  const names = [...new Set(configured.map(({ host }) => host).filter((host) => !isAddress(host)))];
  const addresses = new Map<string, readonly string[]>();
  let resolvedMs = Number.NEGATIVE_INFINITY;
  let resolving: Promise<void> | undefined;
  let current: readonly Node[] = names.length === 0 ? expand() : [];

  function expand(): readonly Node[] {
    return configured.flatMap((node) =>
      (addresses.get(node.host) ?? (isAddress(node.host) ? [bare(node.host)] : [])).map(
        (address) => ({
          ...node,
          address,
          key: `${address}:${node.port}`,
        }),
      ),
    );
  }

  async function resolveAll(): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        // A failed look-up keeps what was known before.
        const found = await parts.resolve(name).catch(() => undefined);
        if (found !== undefined && found.length > 0) addresses.set(name, [...found].sort());
      }),
    );
    resolvedMs = parts.now();
    resolving = undefined;
    const next = expand();
    if (next.map(({ key }) => key).join() === current.map(({ key }) => key).join()) return;
    current = next;
    parts.onChange(next);
  }

  return {
    nodes: () => current,
    ready() {
      if (names.length === 0 || parts.now() - resolvedMs < NAME_TTL_MS) return undefined;
      resolving ??= resolveAll();
      return current.length === 0 ? resolving : undefined;
    },
  };
}

type ConfiguredNode = Omit<Node, 'address' | 'key'>;

export const PORT_MAX = 65_535;

/** Both spellings of `nodes` as one list, in the order given, without those that no socket reaches. */
export function configuredNodes({ nodes, scheme }: UpstreamObject): readonly ConfiguredNode[] {
  if (nodes === undefined) return [];
  const defaultPort = scheme === 'https' || scheme === 'grpcs' ? 443 : 80;
  const list: readonly NodeObject[] = isList(nodes)
    ? nodes
    : Object.entries(nodes).map(([key, weight]) => ({ ...hostAndPort(key), weight }));
  return list
    .filter(({ port = 0 }) => port <= PORT_MAX)
    .map(({ host, port, weight, priority }) => ({
      host,
      port: port ?? defaultPort,
      weight,
      priority: priority ?? 0,
    }));
}

function isList(nodes: NonNullable<UpstreamObject['nodes']>): nodes is readonly NodeObject[] {
  return Array.isArray(nodes);
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`, or a bare v6 address. */
export function hostAndPort(text: string): { readonly host: string; readonly port?: number } {
  const match = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(text);
  if (match === null) return { host: text };
  const [, host = text, port] = match;
  return port === undefined ? { host } : { host, port: Number(port) };
}

function bare(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function isAddress(host: string): boolean {
  return isIP(bare(host)) !== 0;
}
