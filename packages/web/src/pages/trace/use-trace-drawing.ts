import { useCallback, useMemo } from 'react';
import type { SpanLook } from '../../panels/flame/draw.ts';
import { type FlameLayout, layoutFlame } from '../../panels/flame/geometry.ts';
import { criticalPath, stretchesBySpan } from '../../panels/trace-tree/critical-path.ts';
import {
  findSpans,
  NETWORK,
  type ServiceTotal,
  searchTexts,
  serviceTotals,
  type TraceTree,
  visibleRows,
} from '../../panels/trace-tree/tree.ts';
import type { TimeWindow } from '../../panels/trace-tree/window.ts';
import { NETWORK_COLOR, serviceColors } from '../../ui/service-color.ts';
import { useTheme } from '../../ui/theme.ts';
import { isFolded, shownWindow, type TraceState } from './state.ts';

export interface TraceDrawing {
  readonly layout: FlameLayout;
  readonly totals: readonly ServiceTotal[];
  readonly window: TimeWindow;
  readonly rows: Int32Array;
  readonly look: SpanLook;
  readonly matches: readonly number[];
  readonly matchSet: ReadonlySet<number>;
  isCollapsed(index: number): boolean;
}

interface Matches {
  readonly matches: readonly number[];
  readonly matchSet: ReadonlySet<number>;
  readonly isFinding: boolean;
}

function useMatches(tree: TraceTree, find: string): Matches {
  const isFinding = find.trim() !== '';
  const texts = useMemo(() => (isFinding ? searchTexts(tree) : []), [tree, isFinding]);
  const matches = useMemo(() => findSpans(texts, find), [texts, find]);
  const matchSet = useMemo(() => new Set(matches), [matches]);
  return { matches, matchSet, isFinding };
}

function useLook(
  tree: TraceTree,
  totals: readonly ServiceTotal[],
  { span, lit, isCritical }: Pick<TraceState, 'span' | 'lit' | 'isCritical'>,
  { matchSet, isFinding }: Matches,
): SpanLook {
  const theme = useTheme();
  const colors = useMemo(() => {
    const services = totals.map((total) => total.service);
    const found = new Map(
      serviceColors(
        services.filter((name) => name !== NETWORK),
        theme,
      ),
    );
    // Interfaces are the way between services: they stand back behind them.
    return found.set(NETWORK, NETWORK_COLOR);
  }, [totals, theme]);
  const selected = tree.indexOf.get(span);
  const critical = useMemo(
    () => (isCritical ? stretchesBySpan(criticalPath(tree)) : undefined),
    [tree, isCritical],
  );
  return useMemo(() => {
    const isLit = (index: number): boolean =>
      (lit === '' || tree.spans[index]?.service === lit) && (!isFinding || matchSet.has(index));
    return { colors, selected, critical, isLit: lit === '' && !isFinding ? undefined : isLit };
  }, [tree, colors, selected, critical, lit, isFinding, matchSet]);
}

/** What the panels draw, from the trace and the URL's state. Computed anew only where it changed. */
export function useTraceDrawing(tree: TraceTree, state: TraceState): TraceDrawing {
  const { foldDepth, folded } = state;
  const durationUs = Math.max(1, tree.endUs - tree.startUs);
  const layout = useMemo(() => layoutFlame(tree), [tree]);
  const totals = useMemo(() => serviceTotals(tree), [tree]);
  const window = useMemo(() => shownWindow(state, durationUs), [state, durationUs]);
  const found = useMatches(tree, state.find);
  const { matches, matchSet, isFinding } = found;
  const look = useLook(tree, totals, state, found);
  const isCollapsed = useCallback(
    (index: number) =>
      isFolded({ foldDepth, folded }, tree.spans[index]?.spanId ?? '', tree.depth[index] ?? 0),
    [tree, foldDepth, folded],
  );
  const isOnly = state.isOnlyMatches && isFinding;
  const rows = useMemo(() => {
    if (!isOnly) return visibleRows(tree, isCollapsed);
    const isMatch = (index: number): boolean => matchSet.has(index);
    return visibleRows(tree, () => false, isMatch);
  }, [tree, isCollapsed, isOnly, matchSet]);
  return { layout, totals, window, rows, look, matches, matchSet, isCollapsed };
}
