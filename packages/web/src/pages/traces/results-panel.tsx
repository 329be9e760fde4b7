import type { UseInfiniteQueryResult } from '@tanstack/react-query';
import type { TraceSearchAnswer, TraceSummary } from '@thalweg/model';
import type { ReactNode } from 'react';
import { TraceList } from '../../panels/trace-list/trace-list.tsx';
import { plural } from '../../ui/format.ts';
import { FailureMessage, Message, Skeleton } from '../../ui/message.tsx';
import { clearFilters, hasFilters, type TracesState } from './state.ts';
import { rangeName } from './time-range-picker.tsx';

const DAY_MINUTES = 1_440;

interface ResultsPanelProps {
  readonly search: UseInfiniteQueryResult<readonly TraceSearchAnswer[]>;
  readonly traces: readonly TraceSummary[];
  readonly state: TracesState;
  readonly cursor: number;
  hrefOf(trace: TraceSummary): string;
  onOpen(index: number): void;
  onMore(): void;
  onChange(state: TracesState): void;
}

/** What was found, and what spoils it. */
export function ResultsPanel(props: ResultsPanelProps): ReactNode {
  const { search, traces, state, onChange } = props;
  return (
    <section className="panel results" aria-label="Traces" aria-busy={search.isFetching}>
      <header>
        <h2>Traces</h2>
        {search.data !== undefined && (
          <span className="soft num">
            {plural(traces.length, 'trace')}
            {search.hasNextPage ? ' loaded, more below' : ''}
          </span>
        )}
        <LostNote pages={search.data ?? []} />
        {search.failureReason !== null && traces.length > 0 && (
          <span className="note note-error" role="alert">
            {search.failureReason.message}; what is shown is older
          </span>
        )}
        <span className="spring" />
        {search.isFetching && <span className="soft">Loading…</span>}
      </header>
      {search.isPending && <Skeleton rows={12} label="Loading traces" />}
      {search.isError && traces.length === 0 && (
        <FailureMessage
          title="The traces could not be read"
          error={search.error}
          onRetry={() => void search.refetch()}
        />
      )}
      {search.isSuccess && traces.length === 0 && <NoTraces state={state} onChange={onChange} />}
      {traces.length > 0 && (
        <TraceList
          traces={traces}
          cursor={props.cursor}
          hasMore={search.hasNextPage}
          isLoadingMore={search.isFetchingNextPage}
          hrefOf={props.hrefOf}
          onOpen={props.onOpen}
          onMore={props.onMore}
        />
      )}
    </section>
  );
}

/** Each page counts what was lost in the whole range: the largest count says it. */
function LostNote({ pages }: { pages: readonly TraceSearchAnswer[] }): ReactNode {
  const events = Math.max(0, ...pages.map((page) => page.lost.events));
  const rows = Math.max(0, ...pages.map((page) => page.lost.rows));
  if (events === 0 && rows === 0) return null;
  const parts = [
    ...(events > 0 ? [`${plural(events, 'event')} lost`] : []),
    ...(rows > 0 ? [`${plural(rows, 'row')} refused`] : []),
  ];
  return (
    <span className="note note-warn" role="status" title="thalweg doctor says where and why">
      {parts.join(', ')} in this range: traces may be missing or incomplete
    </span>
  );
}

function NoTraces({ state, onChange }: Pick<ResultsPanelProps, 'state' | 'onChange'>): ReactNode {
  const widen = (): void => onChange({ ...state, range: { kind: 'last', minutes: DAY_MINUTES } });
  const isShort = state.range.kind === 'between' || state.range.minutes < DAY_MINUTES;
  const widenButton = isShort && (
    <button type="button" className="button" onClick={widen}>
      Look at the last 24 hours
    </button>
  );
  if (hasFilters(state)) {
    return (
      <Message title="No trace passes these filters">
        <p>Requests may have been seen in this range, but none matches all of the filters.</p>
        <p className="actions">
          <button
            type="button"
            className="button button-main"
            onClick={() => onChange(clearFilters(state))}
          >
            Clear the filters
          </button>
          {widenButton}
        </p>
      </Message>
    );
  }
  return (
    <Message title={`No requests seen · ${rangeName(state.range).toLowerCase()}`}>
      <p>Nothing passed a process that an agent watches, or no agent is connected.</p>
      <p>
        Next: <code>make demo</code> drives traffic through a gateway and two services.{' '}
        <code>./thalweg doctor</code> says what the agent sees.
      </p>
      <p className="actions">{widenButton}</p>
    </Message>
  );
}
