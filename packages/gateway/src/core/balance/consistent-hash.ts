import { crc32 } from 'node:zlib';
import type { Balancer, Node } from './balancer.ts';

/** Points on the ring for each unit of weight, as ketama and APISIX have it. */
const POINTS_PER_WEIGHT = 160;
/** Points of one ring; weights are scaled down above it (a weight may be any number). */
const POINTS_MAX = 200_000;

/**
 * A ring of hashes: a node that goes takes only its own keys with it. The ring is the one of nginx's
 * `hash … consistent`, which APISIX has too, so that a key stays on its node when the gateway changes.
 */
export function createConsistentHash(nodes: readonly Node[]): Balancer {
  const usable = nodes.filter(({ weight }) => weight > 0);
  const divisor = usable.reduce((so, { weight }) => greatestCommon(so, weight), 0) || 1;
  const units = usable.reduce((sum, { weight }) => sum + weight / divisor, 0);
  const scale = Math.min(1, POINTS_MAX / (units * POINTS_PER_WEIGHT || 1));
  const ring = usable.flatMap((node) => pointsOf(node, (node.weight / divisor) * scale));
  ring.sort((a, b) => a.point - b.point);

  return {
    pick(ask) {
      if (ring.length === 0) return undefined;
      const start = firstAtOrAfter(ring, crc32(ask.hashKey()));
      for (let i = 0; i < ring.length; i++) {
        const node = ring[(start + i) % ring.length]?.node;
        if (node !== undefined && ask.isUsable(node)) return node;
      }
      return undefined;
    },
  };
}

interface Point {
  readonly point: number;
  readonly node: Node;
}

/** Each point is the checksum of the node's name and of the point before, as four octets. */
function pointsOf(node: Node, units: number): Point[] {
  const count = Math.max(1, Math.round(units * POINTS_PER_WEIGHT));
  const name = crc32(node.key.replaceAll(':', '\0'));
  const before = Buffer.alloc(4);
  return Array.from({ length: count }, () => {
    const point = crc32(before, name);
    before.writeUInt32LE(point);
    return { point, node };
  });
}

/** Index of the first point at or after `value`; 0 past the last one. */
function firstAtOrAfter(ring: readonly Point[], value: number): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ring[middle]?.point ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low === ring.length ? 0 : low;
}

function greatestCommon(a: number, b: number): number {
  return b === 0 ? a : greatestCommon(b, a % b);
}
