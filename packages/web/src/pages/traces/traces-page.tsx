import type { TraceSummary } from '@thalweg/model';
import { type ReactNode, useCallback, useMemo, useRef } from 'react';
import { useNavigate } from 'react-router';
import { refreshNow, useNow } from '../../data/clock.ts';
import { useLatency, useTraceSearch } from '../../data/queries.ts';
import { useUrlState } from '../../data/url-state.ts';
import type { HeatSelection } from '../../panels/heat-map/geometry.ts';
import { Frame } from '../../ui/frame.tsx';
import { useKeys } from '../../ui/keys.ts';
import { LatencyPanel } from './latency-panel.tsx';
import { ResultsPanel } from './results-panel.tsx';
import { TRACES_SHORTCUTS } from './shortcuts.ts';
import {
  apiFilters,
  readTracesState,
  resolveRange,
  type TracesState,
  writeTracesState,
} from './state.ts';
import { Toolbar } from './toolbar.tsx';

function traceHref(trace: TraceSummary): string {
  return `/traces/${encodeURIComponent(trace.traceId)}?span=${encodeURIComponent(trace.spanId)}&drawer=0`;
}

/** Keys that move the cursor through the list. */
function listKeys(
  cursor: number,
  count: number,
  moveTo: (index: number) => void,
): readonly (readonly [string, () => void])[] {
  return [
    ['j', () => moveTo(cursor + 1)],
    ['k', () => moveTo(cursor - 1)],
    ['ArrowDown', () => moveTo(cursor + 1)],
    ['ArrowUp', () => moveTo(cursor - 1)],
    ['Home', () => moveTo(0)],
    ['End', () => moveTo(count - 1)],
  ];
}

/** Which requests passed, and which of them were slow or failed? */
export function TracesPage(): ReactNode {
  const { state, latest, change: put } = useUrlState(readTracesState, writeTracesState);
  const navigate = useNavigate();
  const input = useRef<HTMLInputElement>(null);
  const now = useNow(state.isLive);
  const filters = useMemo(() => apiFilters(state, now), [state, now]);
  const range = resolveRange(state.range, now);
  const search = useTraceSearch(filters);
  const latency = useLatency(filters);
  const traces = useMemo(() => search.data?.flatMap((page) => page.traces) ?? [], [search.data]);
  const cursor = traces.findIndex((trace) => trace.traceId === state.at);

  const change = useCallback((next: TracesState) => put(next, 'push'), [put]);
  const moveTo = (index: number): void => {
    const trace = traces[Math.max(0, Math.min(traces.length - 1, index))];
    if (trace !== undefined) put({ ...latest.current, at: trace.traceId }, 'replace');
  };
  const open = (index: number): void => {
    const trace = traces[index];
    if (trace === undefined) return;
    // Back returns to this page: it then finds its cursor where the user left it.
    const list = `/traces?${writeTracesState({ ...state, at: trace.traceId })}`;
    void navigate(list, { replace: true });
    void navigate(traceHref(trace), { state: { list } });
  };
  const select = (box: HeatSelection): void => {
    const { startUs, endUs, minDurationUs, maxDurationUs } = box;
    const between = { kind: 'between', startUs, endUs } as const;
    change({ ...state, range: between, isLive: false, minDurationUs, maxDurationUs, at: '' });
  };
  const toggleLive = (): void => change({ ...state, isLive: !state.isLive });
  useKeys([
    ...listKeys(cursor, traces.length, moveTo),
    ['/', () => input.current?.focus()],
    ['Enter', () => open(cursor)],
    ['t', () => document.querySelector<HTMLElement>('[data-key="t"]')?.click()],
    ['r', refreshNow],
    ['L', toggleLive],
    ['Escape', () => put({ ...state, at: '' }, 'replace')],
  ]);
  const loadMore = useCallback(() => void search.fetchNextPage(), [search.fetchNextPage]);
  return (
    <Frame title="Traces" shortcuts={TRACES_SHORTCUTS}>
      <div className="traces-page">
        <Toolbar state={state} nowUs={now} inputRef={input} onChange={change} />
        <LatencyPanel latency={latency} endUs={range.end} onSelect={select} />
        <ResultsPanel
          search={search}
          traces={traces}
          state={state}
          cursor={cursor}
          hrefOf={traceHref}
          onOpen={open}
          onMore={loadMore}
          onChange={change}
        />
      </div>
    </Frame>
  );
}
