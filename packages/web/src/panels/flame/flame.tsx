import {
  type CSSProperties,
  type PointerEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useRef,
  useState,
} from 'react';
import { type Draw, token, useCanvas, useSize } from '../../ui/canvas.ts';
import { formatDuration, plural } from '../../ui/format.ts';
import type { TraceTree } from '../trace-tree/tree.ts';
import type { TimeWindow } from '../trace-tree/window.ts';
import { type FlameLayout, laneBars, spanAt } from './geometry.ts';

const LANE_PX = 20;
const LABEL_PX_MIN = 34;
const LABEL_INSET_PX = 5;
const HIT_SLACK_PX = 2;
const DIMMED = 0.25;

/** How each span looks besides its place. */
export interface SpanLook {
  readonly colors: ReadonlyMap<string, string>;
  readonly selected: number | undefined;
  /** Spans that are not dimmed; undefined when all are equal. */
  isLit: ((index: number) => boolean) | undefined;
}

interface FlameProps {
  readonly tree: TraceTree;
  readonly layout: FlameLayout;
  readonly window: TimeWindow;
  readonly look: SpanLook;
  onSelect(index: number): void;
  /** The wheel with Ctrl: scale about a time. */
  onZoom(factor: number, centerUs: number): void;
}

interface View {
  readonly tree: TraceTree;
  readonly layout: FlameLayout;
  readonly window: TimeWindow;
  readonly look: SpanLook;
  readonly scrollTop: number;
}

function drawLabel(
  context: CanvasRenderingContext2D,
  text: string,
  left: number,
  width: number,
  y: number,
): void {
  context.save();
  context.beginPath();
  context.rect(left, y, width - LABEL_INSET_PX, LANE_PX);
  context.clip();
  context.fillText(text, left + LABEL_INSET_PX, y + LANE_PX / 2);
  context.restore();
}

function flameDrawing({ tree, layout, window, look, scrollTop }: View): Draw {
  return (context, { width, height }) => {
    const error = token('--error');
    const outline = token('--text');
    const barText = token('--bar-text');
    context.font = `11px ${token('--font')}`;
    context.textBaseline = 'middle';
    const first = Math.floor(scrollTop / LANE_PX);
    const last = Math.min(layout.lanes.length - 1, Math.ceil((scrollTop + height) / LANE_PX));
    for (let lane = first; lane <= last; lane++) {
      const y = lane * LANE_PX - scrollTop;
      for (const bar of laneBars(tree, layout.lanes[lane] ?? new Int32Array(), window, width)) {
        const span = tree.spans[bar.index];
        if (span === undefined) continue;
        context.globalAlpha = look.isLit === undefined || look.isLit(bar.index) ? 1 : DIMMED;
        const drawnWidth = bar.width > 3 ? bar.width - 1 : bar.width;
        context.fillStyle = look.colors.get(span.service) ?? outline;
        context.fillRect(bar.left, y + 1, drawnWidth, LANE_PX - 2);
        if (span.isError) {
          context.fillStyle = error;
          context.fillRect(bar.left, y + LANE_PX - 4, drawnWidth, 3);
        }
        if (bar.width >= LABEL_PX_MIN) {
          context.fillStyle = barText;
          const text = `${span.service}  ${span.method} ${span.endpoint || span.path}`;
          drawLabel(context, text, bar.left, drawnWidth, y);
        }
        if (bar.index === look.selected) {
          context.strokeStyle = outline;
          context.lineWidth = 2;
          context.strokeRect(bar.left + 1, y + 1, Math.max(1, drawnWidth - 2), LANE_PX - 2);
        }
      }
    }
    context.globalAlpha = 1;
  };
}

/** Spans by time and depth, on a canvas: ten thousand cost as much as fit on the screen. */
export function Flame({ tree, layout, window, look, onSelect, onZoom }: FlameProps): ReactNode {
  const scroller = useRef<HTMLDivElement>(null);
  const size = useSize(scroller);
  const [scrollTop, setScrollTop] = useState(0);
  const [hover, setHover] = useState<{ index: number; x: number; y: number } | undefined>();
  const draw = useCallback<Draw>(
    (context, area) => flameDrawing({ tree, layout, window, look, scrollTop })(context, area),
    [tree, layout, window, look, scrollTop],
  );
  const canvas = useCanvas(draw, size);
  const usPerPx = (window.toUs - window.fromUs) / Math.max(1, size.width);

  useEffect(() => {
    const lane = look.selected === undefined ? undefined : layout.laneOf[look.selected];
    const element = scroller.current;
    if (lane === undefined || element === null) return;
    const top = lane * LANE_PX;
    if (top < element.scrollTop) element.scrollTop = top;
    const overflow = top + LANE_PX - element.clientHeight;
    if (overflow > element.scrollTop) element.scrollTop = overflow;
  }, [look.selected, layout]);

  const zoom = useRef({ onZoom, usPerPx, fromUs: window.fromUs });
  useEffect(() => {
    zoom.current = { onZoom, usPerPx, fromUs: window.fromUs };
  });
  useEffect(() => {
    const element = scroller.current;
    // React listens passively; the page would scroll and scale along.
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const current = zoom.current;
      const x = event.clientX - (element?.getBoundingClientRect().left ?? 0);
      current.onZoom(event.deltaY > 0 ? 1.25 : 0.8, current.fromUs + x * current.usPerPx);
    };
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, []);

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
        aria-label={`Flame graph of ${plural(tree.spans.length, 'span')}; the waterfall lists the same spans.`}
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
        <div
          className="tip"
          style={{
            left: Math.min(hover.x + 14, Math.max(0, size.width - 300)),
            top: Math.max(0, Math.min(hover.y + 16, size.height - 44)),
          }}
        >
          <strong>{hovered.service}</strong>{' '}
          <span className="soft">{hovered.observationPoint}</span>{' '}
          <span className="num">{formatDuration(hovered.endUs - hovered.startUs)}</span>
          <br />
          {hovered.method} {hovered.path}
        </div>
      )}
    </div>
  );
}
