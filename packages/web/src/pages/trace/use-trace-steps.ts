import { useCallback } from 'react';
import type { TraceTree } from '../../panels/trace-tree/tree.ts';
import type { TimeWindow } from '../../panels/trace-tree/window.ts';
import { isFolded, type TraceState, toggleFold } from './state.ts';

export interface TraceSteps {
  /** Selects; the drawer stays as it is. */
  select(index: number): void;
  /** Selects and opens the drawer. */
  open(index: number): void;
  toggle(index: number): void;
  step(by: 1 | -1): void;
  setWindow(window: TimeWindow): void;
}

/** The state with a span selected and everything above it unfolded: a choice is never hidden. */
function revealed(state: TraceState, tree: TraceTree, index: number): TraceState {
  let next = state;
  for (let at = tree.parent[index] ?? -1; at >= 0; at = tree.parent[at] ?? -1) {
    const spanId = tree.spans[at]?.spanId ?? '';
    if (isFolded(next, spanId, tree.depth[at] ?? 0)) next = toggleFold(next, spanId);
  }
  return { ...next, span: tree.spans[index]?.spanId ?? '' };
}

/** The match after or before a span, round the end. */
function stepMatch(matches: readonly number[], from: number, by: 1 | -1): number | undefined {
  if (by === 1) return matches.find((index) => index > from) ?? matches[0];
  return matches.findLast((index) => index < from) ?? matches.at(-1);
}

/** What panels and keys do to the state. The first three stay the same between renders. */
export function useTraceSteps(
  tree: TraceTree,
  matches: readonly number[],
  latest: { readonly current: TraceState },
  change: (state: TraceState) => void,
): TraceSteps {
  const select = useCallback(
    (index: number) => change(revealed(latest.current, tree, index)),
    [tree, change, latest],
  );
  const open = useCallback(
    (index: number) => change({ ...revealed(latest.current, tree, index), isDrawerOpen: true }),
    [tree, change, latest],
  );
  const toggle = useCallback(
    (index: number) => change(toggleFold(latest.current, tree.spans[index]?.spanId ?? '')),
    [tree, change, latest],
  );
  const step = (by: 1 | -1): void => {
    const next = stepMatch(matches, tree.indexOf.get(latest.current.span) ?? -1, by);
    if (next !== undefined) select(next);
  };
  const setWindow = (next: TimeWindow): void => {
    const isWhole = next.fromUs <= 0 && next.toUs >= tree.endUs - tree.startUs;
    change({ ...latest.current, window: isWhole ? undefined : next });
  };
  return { select, open, toggle, step, setWindow };
}
