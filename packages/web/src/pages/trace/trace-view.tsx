import type { TraceAnswer } from '@thalweg/model';
import { type ReactNode, useCallback, useMemo, useRef } from 'react';
import { useUrlState } from '../../data/url-state.ts';
import { Flame } from '../../panels/flame/flame.tsx';
import { Legend } from '../../panels/legend/legend.tsx';
import { Minimap } from '../../panels/minimap/minimap.tsx';
import { SpanDrawer } from '../../panels/span-drawer/span-drawer.tsx';
import { buildTree, NETWORK, type TraceTree } from '../../panels/trace-tree/tree.ts';
import { countWeakLinks, cutWeakLinks } from '../../panels/trace-tree/weak-links.ts';
import { zoomWindow } from '../../panels/trace-tree/window.ts';
import { Waterfall } from '../../panels/waterfall/waterfall.tsx';
import { Message } from '../../ui/message.tsx';
import { FindBar } from './find-bar.tsx';
import { LinkBar } from './link-bar.tsx';
import { readTraceState, type TraceState, writeTraceState } from './state.ts';
import { TraceHeader } from './trace-header.tsx';
import { type TraceDrawing, useTraceDrawing } from './use-trace-drawing.ts';
import { useTraceKeys } from './use-trace-keys.ts';
import { type TraceSteps, useTraceSteps } from './use-trace-steps.ts';

interface TraceViewProps {
  readonly answer: TraceAnswer;
  readonly tree: TraceTree;
  readonly backTo: string;
}

/** A trace that is there: header, minimap, flame graph, waterfall and drawer. */
export function TraceView({ answer, tree: whole, backTo }: TraceViewProps): ReactNode {
  const { state, latest, change: put } = useUrlState(readTraceState, writeTraceState);
  // Back leaves the trace, not one of a hundred steps in it.
  const change = useCallback((next: TraceState) => put(next, 'replace'), [put]);
  const input = useRef<HTMLInputElement>(null);
  const { threshold } = state;
  const tree = useMemo(() => {
    const spans = cutWeakLinks(whole.spans, threshold);
    return spans === whole.spans ? whole : buildTree(spans);
  }, [whole, threshold]);
  const cutCount = useMemo(() => countWeakLinks(whole.spans, threshold), [whole, threshold]);
  const drawing = useTraceDrawing(tree, state);
  const { totals, look, matches, rows, window } = drawing;
  const { selected, colors } = look;
  const steps = useTraceSteps(tree, matches, latest, change);
  const onFind = (): void => input.current?.focus();
  useTraceKeys({ tree, rows, state, selected, window, backTo, steps, onChange: change, onFind });
  return (
    <div className={`trace-page view-${state.view}`}>
      <div className="trace-main">
        <TraceHeader
          answer={answer}
          tree={tree}
          services={totals.filter(({ service }) => service !== NETWORK).length}
          backTo={backTo}
        />
        <Legend
          totals={totals}
          colors={colors}
          lit={state.lit}
          onLit={(service) => change({ ...state, lit: service })}
        />
        <FindBar
          state={state}
          matches={matches}
          matchAt={selected === undefined ? -1 : matches.indexOf(selected)}
          inputRef={input}
          onChange={change}
          onStep={steps.step}
        />
        <LinkBar state={state} cutCount={cutCount} onChange={change} />
        <Views tree={tree} state={state} drawing={drawing} steps={steps} />
      </div>
      {selected !== undefined && state.isDrawerOpen && (
        <SpanDrawer
          tree={tree}
          index={selected}
          color={colors.get(tree.spans[selected]?.service ?? '') ?? 'currentColor'}
          onSelect={steps.select}
          onClose={() => change({ ...state, isDrawerOpen: false })}
        />
      )}
    </div>
  );
}

interface ViewsProps {
  readonly tree: TraceTree;
  readonly state: TraceState;
  readonly drawing: TraceDrawing;
  readonly steps: TraceSteps;
}

/** The spans in time: small, as a flame graph, as a waterfall. */
function Views({ tree, state, drawing, steps }: ViewsProps): ReactNode {
  const { layout, window, look, rows } = drawing;
  const zoom = (factor: number, centerUs: number): void =>
    steps.setWindow(zoomWindow(window, factor, centerUs, tree.endUs - tree.startUs));
  return (
    <>
      <Minimap
        tree={tree}
        layout={layout}
        window={window}
        colors={look.colors}
        onWindow={steps.setWindow}
      />
      {state.view !== 'waterfall' && (
        <Flame
          tree={tree}
          layout={layout}
          window={window}
          look={look}
          onSelect={steps.open}
          onZoom={zoom}
        />
      )}
      {state.view !== 'flame' && rows.length > 0 && (
        <Waterfall
          tree={tree}
          rows={rows}
          window={window}
          look={look}
          matches={drawing.matchSet}
          isCollapsed={drawing.isCollapsed}
          onSelect={steps.open}
          onToggle={steps.toggle}
        />
      )}
      {state.view !== 'flame' && rows.length === 0 && (
        <Message title={`No span holds “${state.find}”`}>
          <p>Press Esc to see all spans again.</p>
        </Message>
      )}
    </>
  );
}
