import { isSure, type TraceTree } from '../trace-tree/tree.ts';

export const INDENT_PX = 14;
/** Deeper rows share one indent: the name must stay in sight. */
const INDENTS_MAX = 16;

export interface RowLines {
  /** Indents at which a line passes by on its way to a sibling further down. */
  readonly passing: readonly number[];
  /** The row's own elbow; undefined for a root. */
  readonly elbow:
    | { readonly indent: number; readonly isSure: boolean; readonly goesOn: boolean }
    | undefined;
  /** Where the row's own text starts, in indents. */
  readonly indent: number;
}

/** The tree's lines in one row. O(depth). */
export function rowLines(tree: TraceTree, index: number): RowLines {
  const depth = tree.depth[index] ?? 0;
  const hidden = Math.max(0, depth - INDENTS_MAX);
  const span = tree.spans[index];
  const passing: number[] = [];
  let at = tree.parent[index] ?? -1;
  for (let level = depth - 1; level > 0 && at >= 0; level--) {
    const indent = level - 1 - hidden;
    if (indent < 0) break;
    if (tree.isLast[at] === 0) passing.push(indent);
    at = tree.parent[at] ?? -1;
  }
  const elbow =
    depth === 0 || span === undefined
      ? undefined
      : { indent: depth - 1 - hidden, isSure: isSure(span), goesOn: tree.isLast[index] === 0 };
  return { passing, elbow, indent: depth - hidden };
}

export interface LabelPlace {
  readonly side: 'after' | 'before' | 'inside';
}

/** Where a bar's duration fits: after it, else before it, else on it. Shares of the window. */
export function labelPlace(left: number, width: number): LabelPlace {
  if (left + width <= 0.88) return { side: 'after' };
  return { side: left >= 0.12 ? 'before' : 'inside' };
}
