import type { Balancer, Node } from './balancer.ts';

/**
 * Smooth weighted round robin: each choice raises every node by its weight and takes the total from
 * the one chosen, so that 3/2/1 gives 6/4/2 of 12 and no node is chosen in a burst.
 * Source: nginx, `ngx_http_upstream_round_robin`, described in its commit 52327e0627f4.
 */
export function createRoundRobin(nodes: readonly Node[]): Balancer {
  const entries = nodes.filter(({ weight }) => weight > 0).map((node) => ({ node, current: 0 }));
  const [only] = entries;
  return {
    pick(ask) {
      if (entries.length === 1 && only !== undefined) {
        return ask.isUsable(only.node) ? only.node : undefined;
      }
      let total = 0;
      let best: (typeof entries)[number] | undefined;
      for (const entry of entries) {
        if (!ask.isUsable(entry.node)) continue;
        total += entry.node.weight;
        entry.current += entry.node.weight;
        if (best === undefined || entry.current > best.current) best = entry;
      }
      if (best === undefined) return undefined;
      best.current -= total;
      return best.node;
    },
  };
}
