import { createTurns } from '../turns.ts';
import type { StackSum } from './stacks.ts';

/** A frame in its place: everything that was seen below the frames that lead to it. */
export interface FlameNode {
  readonly name: string;
  self: number;
  total: number;
  children: ReadonlyMap<string, FlameNode>;
}

/** Of a frame that has none: half of all frames, and an own map would be most of their memory. */
const NO_CHILDREN: ReadonlyMap<string, FlameNode> = new Map();

/**
 * Pyroscope's form: for each depth, four numbers a frame: distance from the end of the frame before
 * it, total, self, index of its name. The first level is the one frame `total`.
 */
export interface FlameGraph {
  readonly names: readonly string[];
  readonly levels: readonly (readonly number[])[];
  readonly total: number;
  readonly maxSelf: number;
}

export const OTHER = 'other';
/** Frames of one tree, some 150 MB; below it, what is deeper is counted where the tree ends. */
const NODES_MAX = 1_000_000;

/**
 * Merges stacks into a tree whose root, of the name `total`, holds all of them. This and what draws the
 * tree give the event loop its turns: a large profile takes a second.
 */
export async function buildTree(stacks: readonly StackSum[]): Promise<FlameNode> {
  const turns = createTurns();
  const root = newNode('total');
  let count = 1;
  for (const { stack, value } of stacks) {
    let node = root;
    node.total += value;
    for (const name of stack.split(';')) {
      let child = node.children.get(name);
      if (child === undefined) {
        if (count === NODES_MAX) break;
        count += 1;
        child = newNode(name);
        addChild(node, child);
      }
      node = child;
      node.total += value;
    }
    node.self += value;
    if (turns.isDue()) await turns.take();
  }
  return root;
}

function newNode(name: string): FlameNode {
  return { name, self: 0, total: 0, children: NO_CHILDREN };
}

function addChild(node: FlameNode, child: FlameNode): void {
  if (node.children === NO_CHILDREN) node.children = new Map([[child.name, child]]);
  // Made by the line above, for this node alone.
  else (node.children as Map<string, FlameNode>).set(child.name, child);
}

/**
 * At most about `nodesMax` frames, the largest: smaller siblings become one frame `other`. Levels are
 * built breadth-first, siblings by name, so equal data gives an equal picture.
 */
export async function flameGraph(root: FlameNode, nodesMax: number): Promise<FlameGraph> {
  const turns = createTurns();
  const smallest = await smallestShown(root, nodesMax);
  const names: string[] = [];
  const indexOf = new Map<string, number>();
  const levels: number[][] = [];
  let maxSelf = 0;
  let level: { node: FlameNode; x: number }[] = [{ node: root, x: 0 }];
  while (level.length > 0) {
    const values: number[] = [];
    const next: typeof level = [];
    let end = 0;
    for (const { node, x } of level) {
      if (turns.isDue()) await turns.take();
      let index = indexOf.get(node.name);
      if (index === undefined) {
        index = names.length;
        names.push(node.name);
        indexOf.set(node.name, index);
      }
      values.push(x - end, node.total, node.self, index);
      end = x + node.total;
      maxSelf = Math.max(maxSelf, node.self);
      let childX = x + node.self;
      for (const child of shownChildren(node, smallest)) {
        next.push({ node: child, x: childX });
        childX += child.total;
      }
    }
    levels.push(values);
    level = next;
  }
  return { names, levels, total: root.total, maxSelf };
}

/**
 * Stacks of a tree of about `nodesMax` frames, the largest: the value of smaller siblings is that of
 * one frame `other`. By name at each depth; frames without a value of their own give no stack.
 */
export async function shownStacks(root: FlameNode, nodesMax: number): Promise<StackSum[]> {
  const turns = createTurns();
  const smallest = await smallestShown(root, nodesMax);
  const stacks: StackSum[] = [];
  const below = (node: FlameNode, above: string): { node: FlameNode; stack: string }[] =>
    shownChildren(node, smallest)
      .map((child) => ({ node: child, stack: above + child.name }))
      .reverse();
  const waiting = below(root, '');
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, stack } = next;
    if (node.self > 0) stacks.push({ stack, value: node.self });
    waiting.push(...below(node, `${stack};`));
    if (turns.isDue()) await turns.take();
  }
  return stacks;
}

function shownChildren(node: FlameNode, smallest: number): readonly FlameNode[] {
  const all = [...node.children.values()];
  const shown = all.filter(({ total }) => total >= smallest).sort(byName);
  const hidden = all.reduce((sum, { total }) => sum + (total < smallest ? total : 0), 0);
  if (hidden === 0) return shown;
  return [...shown, { name: OTHER, self: hidden, total: hidden, children: NO_CHILDREN }];
}

function byName(a: FlameNode, b: FlameNode): number {
  return a.name < b.name ? -1 : 1;
}

async function smallestShown(root: FlameNode, nodesMax: number): Promise<number> {
  const turns = createTurns();
  const totals: number[] = [];
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    totals.push(node.total);
    for (const child of node.children.values()) waiting.push(child);
    if (turns.isDue()) await turns.take();
  }
  return smallestOf(totals, nodesMax);
}

/** The total at place `nodesMax`, the largest first; 0 when all fit. */
export function smallestOf(totals: readonly number[], nodesMax: number): number {
  if (nodesMax <= 0 || totals.length <= nodesMax) return 0;
  return Float64Array.from(totals).sort()[totals.length - nodesMax] ?? 0;
}
