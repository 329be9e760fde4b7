import { createTurns } from '../turns.ts';
import { type FlameNode, OTHER, smallestOf } from './flame-graph.ts';

/**
 * Two flame graphs in one: for each depth, seven numbers a frame: distance, total and self on the left,
 * the same on the right, index of its name. Distances are from the end of the frame before it.
 */
export interface FlameDiff {
  readonly names: readonly string[];
  readonly levels: readonly (readonly number[])[];
  /** Of both sides together. */
  readonly total: number;
  readonly maxSelf: number;
  readonly leftTicks: number;
  readonly rightTicks: number;
}

/** A frame's place in both trees; a side that does not have it counts nothing. */
interface Pair {
  readonly name: string;
  readonly left: FlameNode;
  readonly right: FlameNode;
  readonly children: Pair[];
}
interface PlacedPair extends Pair {
  readonly leftX: number;
  readonly rightX: number;
}

/**
 * At most about `nodesMax` frames, the largest by both sides' totals: smaller siblings become one frame
 * `other`. Breadth-first, siblings by name. Source: Pyroscope's `FlameGraphDiff`.
 */
export async function flameDiff(
  left: FlameNode,
  right: FlameNode,
  nodesMax: number,
): Promise<FlameDiff> {
  const turns = createTurns();
  const root = pairOf(left, right);
  const smallest = smallestOf(await pairedTotals(root), nodesMax);
  const indexOf = new Map<string, number>();
  const levels: number[][] = [];
  let maxSelf = 0;
  let level: PlacedPair[] = [{ ...root, leftX: 0, rightX: 0 }];
  while (level.length > 0) {
    const values: number[] = [];
    const next: PlacedPair[] = [];
    let leftEnd = 0;
    let rightEnd = 0;
    for (const pair of level) {
      if (turns.isDue()) await turns.take();
      const index = indexOf.get(pair.name) ?? indexOf.size;
      indexOf.set(pair.name, index);
      values.push(pair.leftX - leftEnd, pair.left.total, pair.left.self);
      values.push(pair.rightX - rightEnd, pair.right.total, pair.right.self, index);
      leftEnd = pair.leftX + pair.left.total;
      rightEnd = pair.rightX + pair.right.total;
      maxSelf = Math.max(maxSelf, pair.left.self, pair.right.self);
      next.push(...placedChildren(pair, smallest));
    }
    levels.push(values);
    level = next;
  }
  const ticks = { leftTicks: left.total, rightTicks: right.total };
  return { names: [...indexOf.keys()], levels, total: totalOf(root), maxSelf, ...ticks };
}

function placedChildren(parent: PlacedPair, smallest: number): PlacedPair[] {
  const shown = parent.children.filter((pair) => totalOf(pair) >= smallest);
  shown.sort((a, b) => (a.name < b.name ? -1 : 1));
  const hidden = parent.children.filter((pair) => totalOf(pair) < smallest);
  if (hidden.length > 0) {
    const sum = (side: 'left' | 'right'): number =>
      hidden.reduce((total, pair) => total + pair[side].total, 0);
    shown.push(pairOf(leafOf(OTHER, sum('left')), leafOf(OTHER, sum('right'))));
  }
  let leftX = parent.leftX + parent.left.self;
  let rightX = parent.rightX + parent.right.self;
  return shown.map((pair) => {
    const placed = { ...pair, leftX, rightX };
    leftX += pair.left.total;
    rightX += pair.right.total;
    return placed;
  });
}

const pairOf = (left: FlameNode, right: FlameNode): Pair => {
  return { name: left.name, left, right, children: [] };
};

function pairChildren({ left, right, children }: Pair): void {
  for (const name of new Set([...left.children.keys(), ...right.children.keys()])) {
    const none = leafOf(name, 0);
    children.push(pairOf(left.children.get(name) ?? none, right.children.get(name) ?? none));
  }
}

const leafOf = (name: string, total: number): FlameNode => ({
  name,
  self: total,
  total,
  children: new Map(),
});

const totalOf = ({ left, right }: Pair): number => left.total + right.total;

/** Pairs all frames below the root; answers the totals of all pairs. */
async function pairedTotals(root: Pair): Promise<number[]> {
  const turns = createTurns();
  const totals: number[] = [];
  const waiting = [root];
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    totals.push(totalOf(pair));
    pairChildren(pair);
    waiting.push(...pair.children);
    if (turns.isDue()) await turns.take();
  }
  return totals;
}
