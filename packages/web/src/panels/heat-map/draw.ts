import type { Draw } from '../../ui/canvas.ts';
import { token } from '../../ui/canvas.ts';
import { formatDuration } from '../../ui/format.ts';
import { cellBox, type HeatGrid, latencyTicks, plotBox, timeTicks } from './geometry.ts';

/** A few requests must be seen beside a thousand: colour goes with the logarithm. */
function heat(count: number, countMax: number): number {
  return countMax <= 1 ? 1 : Math.log1p(count) / Math.log1p(countMax);
}

function mix(low: string, high: string, share: number): string {
  const percent = Math.round(share * 100);
  return `color-mix(in oklab, ${high} ${percent}%, ${low})`;
}

/** One failure among many still shows, yet only a cell that fails throughout is wholly red. */
function failingWidth(width: number, share: number): number {
  return Math.min(width, Math.max(2, Math.round(width * share)));
}

function drawAxes(
  context: CanvasRenderingContext2D,
  grid: HeatGrid,
  width: number,
  height: number,
): void {
  const plot = plotBox(width, height);
  context.font = `11px ${token('--font')}`;
  context.fillStyle = token('--text-faint');
  context.strokeStyle = token('--line');
  context.lineWidth = 1;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const tick of latencyTicks(grid, plot)) {
    const y = Math.round(tick.y) + 0.5;
    context.beginPath();
    context.moveTo(plot.left, y);
    context.lineTo(plot.left + plot.width, y);
    context.stroke();
    context.fillText(formatDuration(tick.us), plot.left - 8, Math.max(8, y));
  }
  context.textAlign = 'center';
  const offsetS = -new Date(grid.startUs / 1_000).getTimezoneOffset() * 60;
  for (const tick of timeTicks(grid, plot, offsetS)) {
    if (tick.x < plot.left + 16 || tick.x > plot.left + plot.width - 16) continue;
    const date = new Date(tick.us / 1_000);
    const text =
      tick.stepS >= 86_400
        ? date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
        : date.toLocaleTimeString('en-GB').slice(0, tick.stepS < 60 ? 8 : 5);
    context.fillText(text, tick.x, height - MARGIN_TEXT);
    context.fillRect(Math.round(tick.x), plot.top + plot.height, 1, 4);
  }
}

const MARGIN_TEXT = 7;

/** Draws the axes and each cell; the share of a cell that failed is red from the right. */
export function heatMapDrawing(grid: HeatGrid): Draw {
  return (context, { width, height }) => {
    drawAxes(context, grid, width, height);
    const plot = plotBox(width, height);
    const low = token('--heat-low');
    const high = token('--heat-high');
    const errorLow = token('--heat-error-low');
    const errorHigh = token('--heat-error-high');
    for (let column = 0; column < grid.columns; column++) {
      for (let row = 0; row < grid.rows; row++) {
        const count = grid.counts[column * grid.rows + row] ?? 0;
        if (count === 0) continue;
        const errors = grid.errors[column * grid.rows + row] ?? 0;
        const share = heat(count, grid.countMax);
        context.fillStyle = mix(low, high, share);
        const range = { columnFrom: column, columnTo: column, rowFrom: row, rowTo: row };
        const box = cellBox(grid, plot, range);
        const gap = box.width > 4 ? 1 : 0;
        const cell = Math.max(1, box.width - gap);
        context.fillRect(box.left, box.top, cell, box.height - 1);
        if (errors === 0) continue;
        context.fillStyle = mix(errorLow, errorHigh, share);
        const failing = failingWidth(cell, errors / count);
        context.fillRect(box.left + cell - failing, box.top, failing, box.height - 1);
      }
    }
  };
}
