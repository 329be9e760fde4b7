import { useVirtualizer } from '@tanstack/react-virtual';
import type { TraceSummary } from '@thalweg/model';
import { type ReactNode, useEffect, useMemo, useRef } from 'react';
import { formatClock, formatDateTime, formatDuration, plural } from '../../ui/format.ts';
import { serviceColor } from '../../ui/service-color.ts';
import { StatusBadge } from '../../ui/status-badge.tsx';
import { useTheme } from '../../ui/theme.ts';

const ROW_PX = 28;
const OVERSCAN_ROWS = 12;
/** The next page is asked for when this few rows remain below. */
const AHEAD_ROWS = 40;

interface TraceListProps {
  readonly traces: readonly TraceSummary[];
  /** Row under the keyboard's cursor; −1 for none. */
  readonly cursor: number;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  hrefOf(trace: TraceSummary): string;
  onOpen(index: number): void;
  onMore(): void;
}

/** Found traces, one a line. Draws what is in view only, and asks for more before the end. */
export function TraceList(props: TraceListProps): ReactNode {
  const { traces, cursor, hasMore, isLoadingMore, onMore } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: traces.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN_ROWS,
  });
  const items = virtualizer.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !isLoadingMore && lastShown >= traces.length - AHEAD_ROWS) onMore();
  }, [hasMore, isLoadingMore, lastShown, traces.length, onMore]);
  useEffect(() => {
    if (cursor >= 0) virtualizer.scrollToIndex(cursor);
  }, [cursor, virtualizer]);
  const longestUs = useMemo(
    () => traces.reduce((most, trace) => Math.max(most, trace.durationUs), 1),
    [traces],
  );
  return (
    <div className="trace-list">
      <Head />
      <div ref={scroller} className="trace-scroll">
        <ul
          className="trace-rows"
          aria-label="Traces"
          style={{ height: virtualizer.getTotalSize() }}
        >
          {items.map((item) => {
            const trace = traces[item.index];
            if (trace === undefined) return null;
            return (
              <li key={trace.traceId} style={{ transform: `translateY(${item.start}px)` }}>
                <TraceRow
                  trace={trace}
                  isCurrent={item.index === cursor}
                  longestUs={longestUs}
                  href={props.hrefOf(trace)}
                  onOpen={() => props.onOpen(item.index)}
                />
              </li>
            );
          })}
        </ul>
        {isLoadingMore && <p className="trace-more">Loading more…</p>}
      </div>
    </div>
  );
}

/** Shortest duration that a bar tells apart. */
const SHORTEST_US = 100;

/** As on the heat map, length goes with the logarithm: 3 ms and 3 s both stay readable. */
function durationShare(us: number, longestUs: number): number {
  const whole = Math.log(Math.max(2, longestUs / SHORTEST_US));
  return Math.max(0.02, Math.min(1, Math.log(Math.max(1, us / SHORTEST_US)) / whole));
}

interface TraceRowProps {
  readonly trace: TraceSummary;
  readonly isCurrent: boolean;
  readonly longestUs: number;
  readonly href: string;
  onOpen(): void;
}

function TraceRow({ trace, isCurrent, longestUs, href, onOpen }: TraceRowProps): ReactNode {
  const theme = useTheme();
  const color = serviceColor(trace.service, theme);
  const share = durationShare(trace.durationUs, longestUs) * 100;
  // A path goes on from its host; a statement does not from its database.
  const place = trace.path.startsWith('/') ? trace.host : `${trace.host} `;
  return (
    <a
      className={`trace-row${isCurrent ? ' is-current' : ''}`}
      href={href}
      aria-current={isCurrent ? 'true' : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        onOpen();
      }}
    >
      <time className="num" title={formatDateTime(trace.startUs)}>
        {formatClock(trace.startUs)}
      </time>
      <span className="service">
        <i style={{ background: color }} />
        {trace.service}
      </span>
      <span className="method">{trace.method}</span>
      <span className="path" title={`${place}${trace.path}`}>
        <span className="soft">{place}</span>
        {trace.path}
      </span>
      <StatusBadge {...trace} />
      <span className="num right">{formatDuration(trace.durationUs)}</span>
      <span className="duration-bar" aria-hidden="true">
        <i className={trace.isError ? 'is-error' : ''} style={{ width: `${share}%` }} />
      </span>
      <span className="num right" title={plural(trace.spanCount, 'span')}>
        {trace.spanCount}
      </span>
      <span className="num right" title={plural(trace.serviceCount, 'service')}>
        {trace.serviceCount}
      </span>
    </a>
  );
}

function Head(): ReactNode {
  return (
    <div className="trace-row trace-head" aria-hidden="true">
      <span>Start</span>
      <span>Service</span>
      <span>Method</span>
      <span>Host and path</span>
      <span>Status</span>
      <span className="right">Duration</span>
      <span />
      <span className="right">Spans</span>
      <span className="right">Services</span>
    </div>
  );
}
