import { createTurns } from '../turns.ts';
import type { FlameNode } from './flame-graph.ts';

/** What `POST /v1/profile/ProfileTracing` answers. Source: the reference of DeepFlow's API, §4.4. */
export interface ProfileTracing {
  readonly functions: readonly string[];
  /** P process, T thread, K kernel, L dynamic library, C CUDA, else an application's function. */
  readonly function_types: readonly string[];
  readonly function_values: {
    readonly columns: readonly ['self_value', 'total_value'];
    readonly values: readonly (readonly [self: number, total: number])[];
  };
  readonly node_values: {
    readonly columns: readonly ['function_id', 'parent_node_id', 'self_value', 'total_value'];
    /** Depth-first; the root's parent is -1. */
    readonly values: readonly (readonly [number, number, number, number])[];
  };
}

/** Types by the prefix that names carry. */
const PREFIXES: Readonly<Record<string, string>> = {
  '[p] ': 'P',
  '[t] ': 'T',
  '[k] ': 'K',
  '[l] ': 'L',
  '[c] ': 'C',
};

/** `kernelDepthMax` frames of the kernel are shown on a stack; -1: all. */
export async function profileTracing(
  root: FlameNode,
  kernelDepthMax: number,
): Promise<ProfileTracing> {
  const turns = createTurns();
  const functions: string[] = [];
  const idOf = new Map<string, number>();
  const sums: [number, number][] = [];
  const nodes: [number, number, number, number][] = [];

  function functionId(name: string): number {
    let id = idOf.get(name);
    if (id === undefined) {
      id = functions.length;
      functions.push(name);
      idOf.set(name, id);
      sums.push([0, 0]);
    }
    return id;
  }

  /** How often each function is on the way from the root to where the walk is. */
  const active: number[] = [];
  const waiting: Waiting[] = [{ node: root, parent: -1, kernelDepth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (turns.isDue()) await turns.take();
    if ('left' in next) {
      active[next.left] = (active[next.left] ?? 0) - 1;
      continue;
    }
    const { node, parent } = next;
    const kernelDepth = next.kernelDepth + (isKernel(node) ? 1 : 0);
    const isCut = kernelDepthMax >= 0 && kernelDepth >= kernelDepthMax;
    const children = [...node.children.values()];
    const shown = isCut ? children.filter((child) => !isKernel(child)) : children;
    const shownTotal = shown.reduce((sum, { total }) => sum + total, 0);
    const self = node.total - shownTotal;
    const id = functionId(node.name);
    const place = nodes.push([id, parent, self, node.total]) - 1;
    const sum = sums[id] ?? [0, 0];
    sum[0] += self;
    // A function that calls itself was seen once, not once for each call.
    if ((active[id] ?? 0) === 0) sum[1] += node.total;
    active[id] = (active[id] ?? 0) + 1;
    waiting.push({ left: id });
    for (const child of shown.toReversed()) {
      waiting.push({ node: child, parent: place, kernelDepth });
    }
  }
  return {
    functions,
    function_types: functions.map((name) => PREFIXES[name.slice(0, 4)] ?? 'A'),
    function_values: { columns: ['self_value', 'total_value'], values: sums },
    node_values: {
      columns: ['function_id', 'parent_node_id', 'self_value', 'total_value'],
      values: nodes,
    },
  };
}

function isKernel({ name }: FlameNode): boolean {
  return name.startsWith('[k] ');
}

/** A frame that the walk comes to, or a function that it leaves. */
type Waiting =
  | { readonly node: FlameNode; readonly parent: number; readonly kernelDepth: number }
  | { readonly left: number };
