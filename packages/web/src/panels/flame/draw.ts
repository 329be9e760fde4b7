import { titleOf } from '@thalweg/model';
import { type Draw, token } from '../../ui/canvas.ts';
import type { CriticalStretch } from '../trace-tree/critical-path.ts';
import type { TraceTree } from '../trace-tree/tree.ts';
import { barShare, type TimeWindow } from '../trace-tree/window.ts';
import { type FlameLayout, laneBars } from './geometry.ts';

export const LANE_PX = 20;
const LABEL_PX_MIN = 34;
const LABEL_INSET_PX = 5;
const DIMMED = 0.25;
const CRITICAL_PX = 3;

/** How each span looks besides its place. */
export interface SpanLook {
  readonly colors: ReadonlyMap<string, string>;
  readonly selected: number | undefined;
  /** Spans that are not dimmed; undefined when all are equal. */
  isLit: ((index: number) => boolean) | undefined;
  /** Stretches of the critical path by span; undefined when it is not marked. */
  readonly critical: ReadonlyMap<number, readonly CriticalStretch[]> | undefined;
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

interface StretchPlace {
  readonly tree: TraceTree;
  readonly window: TimeWindow;
  readonly width: number;
  readonly y: number;
  readonly color: string;
}

/** A line along the top of the bar, where the end of the trace waited for the span itself. */
function drawStretch(
  context: CanvasRenderingContext2D,
  { fromUs, toUs }: CriticalStretch,
  { tree, window, width, y, color }: StretchPlace,
): void {
  const share = barShare(window, fromUs - tree.startUs, toUs - tree.startUs);
  const left = Math.max(0, share.left * width);
  const right = Math.min(width, (share.left + share.width) * width);
  if (right <= left) return;
  context.fillStyle = color;
  context.fillRect(left, y + 1, Math.max(1, right - left), CRITICAL_PX);
}

/** Draws the lanes that the scroll position shows. */
export function flameDrawing({ tree, layout, window, look, scrollTop }: View): Draw {
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
        for (const stretch of look.critical?.get(bar.index) ?? []) {
          drawStretch(context, stretch, { tree, window, width, y, color: outline });
        }
        if (span.isError) {
          context.fillStyle = error;
          context.fillRect(bar.left, y + LANE_PX - 4, drawnWidth, 3);
        }
        if (bar.width >= LABEL_PX_MIN) {
          context.fillStyle = barText;
          const text = `${span.service}  ${titleOf(span)}`;
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
