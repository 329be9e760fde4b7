import type { Balancer, Node } from './balancer.ts';

/** The node with the fewest requests under way for its weight: least (active + 1) / weight. */
export function createLeastConnections(nodes: readonly Node[]): Balancer {
  const usable = nodes.filter(({ weight }) => weight > 0);
  const active = new Map<string, number>();
  const change = (node: Node, by: number): void => {
    active.set(node.key, Math.max(0, (active.get(node.key) ?? 0) + by));
  };
  return {
    pick(ask) {
      let best: Node | undefined;
      let bestScore = Number.POSITIVE_INFINITY;
      for (const node of usable) {
        if (!ask.isUsable(node)) continue;
        const score = ((active.get(node.key) ?? 0) + 1) / node.weight;
        if (score < bestScore) [best, bestScore] = [node, score];
      }
      return best;
    },
    begin: (node) => change(node, 1),
    end: (node) => change(node, -1),
  };
}
