import type { TraceAnswer } from '@thalweg/model';
import { type ReactNode, useCallback, useMemo, useRef } from 'react';
import { useUrlState } from '../../data/url-state.ts';
import { Flame } from '../../panels/flame/flame.tsx';
import { layoutFlame } from '../../panels/flame/geometry.ts';
import { Legend } from '../../panels/legend/legend.tsx';
import { Minimap } from '../../panels/minimap/minimap.tsx';
import { SpanDrawer } from '../../panels/span-drawer/span-drawer.tsx';
import {
  findSpans,
  serviceTotals,
  type TraceTree,
  visibleRows,
} from '../../panels/trace-tree/tree.ts';
import { type TimeWindow, zoomWindow } from '../../panels/trace-tree/window.ts';
import { Waterfall } from '../../panels/waterfall/waterfall.tsx';
import { Message } from '../../ui/message.tsx';
import { serviceColors } from '../../ui/service-color.ts';
import { useTheme } from '../../ui/theme.ts';
import { FindBar } from './find-bar.tsx';
import {
  isFolded,
  readTraceState,
  shownWindow,
  type TraceState,
  toggleFold,
  writeTraceState,
} from './state.ts';
import { TraceHeader } from './trace-header.tsx';
import { useTraceKeys } from './use-trace-keys.ts';

interface TraceViewProps {
  readonly answer: TraceAnswer;
  readonly tree: TraceTree;
  readonly backTo: string;
}

/** A trace that is there: header, minimap, flame graph, waterfall and drawer. */
export function TraceView({ answer, tree, backTo }: TraceViewProps): ReactNode {
  const { state, latest, change: put } = useUrlState(readTraceState, writeTraceState);
  // Back leaves the trace, not one of a hundred steps in it.
  const change = useCallback((next: TraceState) => put(next, 'replace'), [put]);
  const theme = useTheme();
  const input = useRef<HTMLInputElement>(null);
  const durationUs = Math.max(1, tree.endUs - tree.startUs);
  const window = useMemo(() => shownWindow(state, durationUs), [state, durationUs]);
  const layout = useMemo(() => layoutFlame(tree), [tree]);
  const totals = useMemo(() => serviceTotals(tree), [tree]);
  const colors = useMemo(
    () =>
      serviceColors(
        totals.map((t) => t.service),
        theme,
      ),
    [totals, theme],
  );
  const matches = useMemo(() => findSpans(tree, state.find), [tree, state.find]);
  const matchSet = useMemo(() => new Set(matches), [matches]);
  const isFinding = state.find.trim() !== '';
  const isOnly = state.isOnlyMatches && isFinding;
  const selected = tree.indexOf.get(state.span);
  const { lit, foldDepth, folded } = state;

  const isCollapsed = useCallback(
    (index: number) =>
      isFolded({ foldDepth, folded }, tree.spans[index]?.spanId ?? '', tree.depth[index] ?? 0),
    [tree, foldDepth, folded],
  );
  const rows = useMemo(
    () =>
      isOnly
        ? visibleRows(
            tree,
            () => false,
            (index) => matchSet.has(index),
          )
        : visibleRows(tree, isCollapsed),
    [tree, isCollapsed, isOnly, matchSet],
  );
  const look = useMemo(() => {
    const isLitService = (index: number): boolean =>
      lit === '' || tree.spans[index]?.service === lit;
    const isMatch = (index: number): boolean => !isFinding || matchSet.has(index);
    const isPlain = lit === '' && !isFinding;
    return {
      colors,
      selected,
      isLit: isPlain ? undefined : (index: number) => isLitService(index) && isMatch(index),
    };
  }, [tree, colors, selected, lit, isFinding, matchSet]);

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
    const next = stepMatch(matches, selected ?? -1, by);
    if (next !== undefined) select(next);
  };
  const setWindow = (next: TimeWindow): void => {
    const isWhole = next.fromUs <= 0 && next.toUs >= durationUs;
    change({ ...latest.current, window: isWhole ? undefined : next });
  };
  useTraceKeys({
    tree,
    rows,
    state,
    selected,
    window,
    backTo,
    onChange: change,
    onSelect: select,
    onFind: () => input.current?.focus(),
    onStep: step,
  });
  return (
    <div className={`trace-page view-${state.view}`}>
      <div className="trace-main">
        <TraceHeader answer={answer} tree={tree} services={totals.length} backTo={backTo} />
        <Legend
          totals={totals}
          colors={colors}
          lit={lit}
          onLit={(service) => change({ ...state, lit: service })}
        />
        <FindBar
          state={state}
          matches={matches}
          matchAt={selected === undefined ? -1 : matches.indexOf(selected)}
          inputRef={input}
          onChange={change}
          onStep={step}
        />
        <Minimap tree={tree} layout={layout} window={window} colors={colors} onWindow={setWindow} />
        {state.view !== 'waterfall' && (
          <Flame
            tree={tree}
            layout={layout}
            window={window}
            look={look}
            onSelect={open}
            onZoom={(factor, centerUs) =>
              setWindow(zoomWindow(window, factor, centerUs, durationUs))
            }
          />
        )}
        {state.view !== 'flame' && rows.length > 0 && (
          <Waterfall
            tree={tree}
            rows={rows}
            window={window}
            look={look}
            matches={matchSet}
            isCollapsed={isCollapsed}
            onSelect={open}
            onToggle={toggle}
          />
        )}
        {state.view !== 'flame' && rows.length === 0 && (
          <Message title={`No span holds “${state.find}”`}>
            <p>Press Esc to see all spans again.</p>
          </Message>
        )}
      </div>
      {selected !== undefined && state.isDrawerOpen && (
        <SpanDrawer
          tree={tree}
          index={selected}
          color={colors.get(tree.spans[selected]?.service ?? '') ?? 'currentColor'}
          onSelect={select}
          onClose={() => change({ ...state, isDrawerOpen: false })}
        />
      )}
    </div>
  );
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
