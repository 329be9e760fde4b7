import type { TraceTree } from './tree.ts';

/** A stretch of time in which the end of the trace waited for this span itself, µs since the epoch. */
export interface CriticalStretch {
  readonly index: number;
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * What the end of the trace waited for, the latest stretch first. From the end of the first root
 * backwards: time belongs to the child that ended last before it, and where none ran to the span itself. Stretches
 * do not overlap and fill the root's time. Source: the usual definition, as in Jaeger's critical path. O(n log n).
 */
export function criticalPath(tree: TraceTree): readonly CriticalStretch[] {
  const root = tree.spans[0];
  if (root === undefined) return [];
  const children = childrenByEnd(tree);
  const stretches: CriticalStretch[] = [];
  const put = (index: number, fromUs: number, toUs: number): void => {
    if (toUs > fromUs) stretches.push({ index, fromUs, toUs });
  };
  // What is left of a span is in [its start, `toUs`]; `at` is its next child to look at.
  const stack = [{ index: 0, fromUs: root.startUs, toUs: root.endUs, at: 0, isWhole: true }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const child = children[top.index]?.[top.at];
    const span = child === undefined ? undefined : tree.spans[child];
    if (child === undefined || span === undefined || top.toUs <= top.fromUs) {
      put(top.index, top.fromUs, top.toUs);
      stack.pop();
      continue;
    }
    top.at += 1;
    const endUs = Math.min(span.endUs, top.toUs);
    const startUs = Math.max(span.startUs, top.fromUs);
    // It ran beside one that ended later: nobody waited for it. Past the end of its parent it is
    // cut: two ends of a call are stamped by two clocks.
    if (endUs <= startUs || (span.endUs > top.toUs && !top.isWhole)) continue;
    put(top.index, endUs, top.toUs);
    top.toUs = startUs;
    top.isWhole = false;
    stack.push({ index: child, fromUs: startUs, toUs: endUs, at: 0, isWhole: true });
  }
  return stretches;
}

/** Children of each span, the one that ended last first. */
function childrenByEnd(tree: TraceTree): readonly number[][] {
  const children: number[][] = tree.spans.map(() => []);
  tree.parent.forEach((parent, index) => {
    if (parent >= 0) children[parent]?.push(index);
  });
  const endUs = (index: number): number => tree.spans[index]?.endUs ?? 0;
  for (const list of children) list.sort((a, b) => endUs(b) - endUs(a));
  return children;
}

/** Stretches by span, for drawing. */
export function stretchesBySpan(
  stretches: readonly CriticalStretch[],
): ReadonlyMap<number, readonly CriticalStretch[]> {
  const bySpan = new Map<number, CriticalStretch[]>();
  for (const one of stretches) {
    const own = bySpan.get(one.index) ?? [];
    own.push(one);
    bySpan.set(one.index, own);
  }
  return bySpan;
}
