import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useMemo, useRef } from 'react';
import { formatDuration, plural } from '../../ui/format.ts';
import type { SpanLook } from '../flame/draw.ts';
import type { TraceTree } from '../trace-tree/tree.ts';
import { type TimeWindow, windowTicks } from '../trace-tree/window.ts';
import { Row } from './row.tsx';

const ROW_PX = 26;
const OVERSCAN_ROWS = 12;
const TICKS = 6;

interface WaterfallProps {
  readonly tree: TraceTree;
  /** Indexes of the spans to draw, in tree order. */
  readonly rows: Int32Array;
  readonly window: TimeWindow;
  readonly look: SpanLook;
  readonly matches: ReadonlySet<number>;
  isCollapsed(index: number): boolean;
  onSelect(index: number): void;
  onToggle(index: number): void;
}

/** All spans as a tree beside their time. Draws the rows in view only. */
export function Waterfall(props: WaterfallProps): ReactNode {
  const { tree, rows, window, look, matches, isCollapsed, onSelect, onToggle } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN_ROWS,
  });
  const selectedRow = useMemo(
    () => (look.selected === undefined ? -1 : rows.indexOf(look.selected)),
    [rows, look.selected],
  );
  useEffect(() => {
    if (selectedRow >= 0) virtualizer.scrollToIndex(selectedRow);
  }, [selectedRow, virtualizer]);
  const ticks = useMemo(() => windowTicks(window, TICKS), [window]);
  return (
    <div className="waterfall">
      <Head window={window} ticks={ticks} />
      <div ref={scroller} className="waterfall-scroll">
        <GridLines window={window} ticks={ticks} height={virtualizer.getTotalSize()} />
        <div
          className="rows"
          role="tree"
          aria-label={plural(tree.spans.length, 'span')}
          style={{ height: virtualizer.getTotalSize() }}
        >
          {virtualizer.getVirtualItems().map((item) => {
            const index = rows[item.index] ?? 0;
            return (
              <div
                key={index}
                className="row-place"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Row
                  tree={tree}
                  index={index}
                  window={window}
                  color={look.colors.get(tree.spans[index]?.service ?? '') ?? 'currentColor'}
                  isCollapsed={isCollapsed(index)}
                  isSelected={index === look.selected}
                  isMatch={matches.has(index)}
                  isDim={look.isLit !== undefined && !look.isLit(index)}
                  critical={look.critical?.get(index)}
                  onSelect={onSelect}
                  onToggle={onToggle}
                />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface TicksProps {
  readonly window: TimeWindow;
  readonly ticks: readonly number[];
}

/** A label further right than this would be cut by the edge. */
const LAST_LABEL = 0.93;

function shareOf(window: TimeWindow, us: number): number {
  return (us - window.fromUs) / (window.toUs - window.fromUs);
}

function placeOf(window: TimeWindow, us: number): string {
  return `${shareOf(window, us) * 100}%`;
}

function Head({ window, ticks }: TicksProps): ReactNode {
  return (
    <div className="waterfall-head">
      <span>Span</span>
      <div className="axis" aria-hidden="true">
        {ticks.map((us) => (
          <span key={us} style={{ left: placeOf(window, us) }}>
            {shareOf(window, us) < LAST_LABEL && formatDuration(us)}
          </span>
        ))}
      </div>
    </div>
  );
}

function GridLines({ window, ticks, height }: TicksProps & { height: number }): ReactNode {
  return (
    <div className="grid-lines" style={{ height }} aria-hidden="true">
      {ticks.map((us) => (
        <i key={us} style={{ left: placeOf(window, us) }} />
      ))}
    </div>
  );
}
