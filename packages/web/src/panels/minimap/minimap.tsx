import { type PointerEvent, type ReactNode, useMemo, useRef, useState } from 'react';
import { type Draw, token, useCanvas, useSize } from '../../ui/canvas.ts';
import { formatDuration } from '../../ui/format.ts';
import { type FlameLayout, laneBars } from '../flame/geometry.ts';
import type { TraceTree } from '../trace-tree/tree.ts';
import { clampWindow, type TimeWindow } from '../trace-tree/window.ts';

/** A drag shorter than this is a click: it moves the window instead of drawing a new one. */
const DRAG_PX_MIN = 4;

interface MinimapProps {
  readonly tree: TraceTree;
  readonly layout: FlameLayout;
  readonly window: TimeWindow;
  readonly colors: ReadonlyMap<string, string>;
  onWindow(window: TimeWindow): void;
}

function minimapDrawing(
  tree: TraceTree,
  layout: FlameLayout,
  colors: ReadonlyMap<string, string>,
): Draw {
  return (context, { width, height }) => {
    const lanePx = Math.min(6, height / Math.max(1, layout.lanes.length));
    const error = token('--error');
    const whole = { fromUs: 0, toUs: Math.max(1, tree.endUs - tree.startUs) };
    layout.lanes.forEach((lane, row) => {
      for (const bar of laneBars(tree, lane, whole, width)) {
        const span = tree.spans[bar.index];
        context.fillStyle = span?.isError ? error : (colors.get(span?.service ?? '') ?? error);
        context.fillRect(bar.left, row * lanePx, bar.width, Math.max(1, lanePx - 1));
      }
    });
  };
}

/** The whole trace, small. Drag to zoom, click to move the window there, twice to see all. */
export function Minimap({ tree, layout, window, colors, onWindow }: MinimapProps): ReactNode {
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  const durationUs = Math.max(1, tree.endUs - tree.startUs);
  const [drag, setDrag] = useState<{ fromPx: number; toPx: number } | undefined>(undefined);
  const draw = useMemo(() => minimapDrawing(tree, layout, colors), [tree, layout, colors]);
  const canvas = useCanvas(draw, size);
  const toUs = (px: number): number => (px / Math.max(1, size.width)) * durationUs;
  const pxOf = (event: PointerEvent): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(box.width, event.clientX - box.left));
  };
  const finish = (): void => {
    if (drag === undefined) return;
    setDrag(undefined);
    const fromUs = toUs(Math.min(drag.fromPx, drag.toPx));
    const endUs = toUs(Math.max(drag.fromPx, drag.toPx));
    if (Math.abs(drag.fromPx - drag.toPx) >= DRAG_PX_MIN) {
      onWindow(clampWindow({ fromUs, toUs: endUs }, durationUs));
      return;
    }
    const half = (window.toUs - window.fromUs) / 2;
    onWindow(clampWindow({ fromUs: fromUs - half, toUs: fromUs + half }, durationUs));
  };
  const shown = `${formatDuration(window.fromUs)} to ${formatDuration(window.toUs)}`;
  const keys = 'Plus, minus and 0 zoom; a and d move.';
  const label = `Shown: ${shown} of ${formatDuration(durationUs)}. ${keys}`;
  const percent = (us: number): string => `${(us / durationUs) * 100}%`;
  return (
    <div
      ref={frame}
      className="minimap"
      role="img"
      aria-label={label}
      title="drag to zoom, click to move, double-click for all"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ fromPx: pxOf(event), toPx: pxOf(event) });
      }}
      onPointerMove={(event) => drag !== undefined && setDrag({ ...drag, toPx: pxOf(event) })}
      onPointerUp={finish}
      onPointerCancel={() => setDrag(undefined)}
      onDoubleClick={() => onWindow({ fromUs: 0, toUs: durationUs })}
    >
      <canvas ref={canvas} />
      <i className="minimap-shade" style={{ left: 0, width: percent(window.fromUs) }} />
      <i className="minimap-shade" style={{ left: percent(window.toUs), right: 0 }} />
      {drag !== undefined && (
        <i
          className="minimap-drag"
          style={{
            left: Math.min(drag.fromPx, drag.toPx),
            width: Math.abs(drag.toPx - drag.fromPx),
          }}
        />
      )}
    </div>
  );
}
