import type { Balancer, Node } from './balancer.ts';

const DECAY_MS = 10_000;

interface Score {
  valueMs: number;
  atMs: number;
}

/**
 * The quicker one of two nodes, by the exponentially decayed time of their answers (`ewma`). Which
 * two comes from `random`; a node without an answer yet is the quickest, so that it gets one.
 */
export function createMovingAverage(nodes: readonly Node[], random: () => number): Balancer {
  const usable = nodes.filter(({ weight }) => weight > 0);
  const scores = new Map<string, Score>();
  const scoreOf = (node: Node, nowMs: number): number => {
    const score = scores.get(node.key);
    return score === undefined ? 0 : score.valueMs * decay(nowMs - score.atMs);
  };
  return {
    pick({ isUsable, nowMs }) {
      const open = usable.filter((node) => isUsable(node));
      if (open.length < 2) return open[0];
      const first = Math.floor(random() * open.length) % open.length;
      const other = Math.floor(random() * (open.length - 1)) % (open.length - 1);
      const a = open[first];
      const b = open[other >= first ? other + 1 : other];
      if (a === undefined || b === undefined) return a ?? b;
      return scoreOf(b, nowMs) < scoreOf(a, nowMs) ? b : a;
    },
    end(node, elapsedMs, nowMs) {
      const score = scores.get(node.key);
      if (score === undefined) {
        scores.set(node.key, { valueMs: elapsedMs, atMs: nowMs });
        return;
      }
      const weight = decay(nowMs - score.atMs);
      score.valueMs = score.valueMs * weight + elapsedMs * (1 - weight);
      score.atMs = nowMs;
    },
  };
}

function decay(elapsedMs: number): number {
  return Math.exp(-Math.max(0, elapsedMs) / DECAY_MS);
}
