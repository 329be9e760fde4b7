import type { Span } from '@thalweg/model';
import {
  type CSSProperties,
  type PointerEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { type Size, useCanvas, useSize } from '../../ui/canvas.ts';
import { formatDuration, plural } from '../../ui/format.ts';
import type { TraceTree } from '../trace-tree/tree.ts';
import type { TimeWindow } from '../trace-tree/window.ts';
import { flameDrawing, LANE_PX, type SpanLook } from './draw.ts';
import { type FlameLayout, spanAt } from './geometry.ts';

const HIT_SLACK_PX = 2;
const WHEEL_ZOOM = 0.8;
const TIP_PX = 300;

interface FlameProps {
  readonly tree: TraceTree;
  readonly layout: FlameLayout;
  readonly window: TimeWindow;
  readonly look: SpanLook;
  onSelect(index: number): void;
  /** The wheel with Ctrl: scale about a time. */
  onZoom(factor: number, centerUs: number): void;
}

/** Spans by time and depth, on a canvas: ten thousand cost as much as fit on the screen. */
export function Flame({ tree, layout, window, look, onSelect, onZoom }: FlameProps): ReactNode {
  const scroller = useRef<HTMLDivElement>(null);
  const size = useSize(scroller);
  const [scrollTop, setScrollTop] = useState(0);
  const [hover, setHover] = useState<{ index: number; x: number; y: number } | undefined>();
  const draw = useMemo(
    () => flameDrawing({ tree, layout, window, look, scrollTop }),
    [tree, layout, window, look, scrollTop],
  );
  const canvas = useCanvas(draw, size);
  const usPerPx = (window.toUs - window.fromUs) / Math.max(1, size.width);

  useRevealed(scroller, look.selected === undefined ? undefined : layout.laneOf[look.selected]);
  useWheelZoom(scroller, (factor, x) => onZoom(factor, window.fromUs + x * usPerPx));

  const hit = (event: PointerEvent): typeof hover => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    const lane = Math.floor((y + scrollTop) / LANE_PX);
    const us = window.fromUs + x * usPerPx;
    const index = spanAt(tree, layout, lane, us, HIT_SLACK_PX * usPerPx);
    return index === undefined ? undefined : { index, x, y };
  };
  // A custom property is no key of CSSProperties.
  const lanesHeight = {
    '--lanes-height': `${layout.lanes.length * LANE_PX + 6}px`,
  } as CSSProperties;
  const hovered = hover === undefined ? undefined : tree.spans[hover.index];
  return (
    <div className="flame" style={lanesHeight}>
      <div
        ref={scroller}
        className="flame-scroll"
        role="img"
        aria-label={`Flame graph of ${plural(tree.spans.length, 'span')}; the waterfall lists them`}
        onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
        onPointerMove={(event) => setHover(hit(event))}
        onPointerLeave={() => setHover(undefined)}
        onPointerDown={(event) => {
          const found = hit(event);
          if (found !== undefined && event.button === 0) onSelect(found.index);
        }}
      >
        <canvas ref={canvas} style={{ cursor: hover ? 'pointer' : 'default' }} />
        <div style={{ height: Math.max(1, layout.lanes.length * LANE_PX - size.height) }} />
      </div>
      {hover !== undefined && hovered !== undefined && (
        <Tip span={hovered} x={hover.x} y={hover.y} size={size} />
      )}
    </div>
  );
}

/** Scrolls no further than needed for the lane to be seen. */
function useRevealed(scroller: RefObject<HTMLElement | null>, lane: number | undefined): void {
  useEffect(() => {
    const element = scroller.current;
    if (lane === undefined || element === null) return;
    const top = lane * LANE_PX;
    if (top < element.scrollTop) element.scrollTop = top;
    const overflow = top + LANE_PX - element.clientHeight;
    if (overflow > element.scrollTop) element.scrollTop = overflow;
  }, [scroller, lane]);
}

/** The wheel with Ctrl or Meta. React listens passively; the page would scale along. */
function useWheelZoom(
  scroller: RefObject<HTMLElement | null>,
  onZoom: (factor: number, x: number) => void,
): void {
  const current = useRef(onZoom);
  useEffect(() => {
    current.current = onZoom;
  });
  useEffect(() => {
    const element = scroller.current;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const x = event.clientX - (element?.getBoundingClientRect().left ?? 0);
      current.current(event.deltaY > 0 ? 1 / WHEEL_ZOOM : WHEEL_ZOOM, x);
    };
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, [scroller]);
}

interface TipProps {
  readonly span: Span;
  readonly x: number;
  readonly y: number;
  readonly size: Size;
}

/** What is under the pointer, beside it. */
function Tip({ span, x, y, size }: TipProps): ReactNode {
  const left = Math.min(x + 14, Math.max(0, size.width - TIP_PX));
  const top = Math.max(0, Math.min(y + 16, size.height - 44));
  return (
    <div className="tip" style={{ left, top }}>
      <strong>{span.service}</strong> <span className="soft">{span.observationPoint}</span>{' '}
      <span className="num">{formatDuration(span.endUs - span.startUs)}</span>
      <br />
      {span.method} {span.path}
    </div>
  );
}
