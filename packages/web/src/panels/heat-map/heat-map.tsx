import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useCanvas, useSize } from '../../ui/canvas.ts';
import { formatClock, formatCount, formatDuration, plural } from '../../ui/format.ts';
import { heatMapDrawing } from './draw.ts';
import {
  type Box,
  busiestCell,
  type CellRange,
  cellAt,
  cellBox,
  cellRange,
  type HeatGrid,
  type HeatSelection,
  plotBox,
  rowStartUs,
  selectionOf,
} from './geometry.ts';

interface Cell {
  readonly column: number;
  readonly row: number;
}

interface HeatMapProps {
  readonly grid: HeatGrid;
  onSelect(selection: HeatSelection): void;
}

const KEYS = 'Arrows move, Shift and arrows stretch, Enter selects.';
const ARROWS: Readonly<Record<string, Cell>> = {
  ArrowLeft: { column: -1, row: 0 },
  ArrowRight: { column: 1, row: 0 },
  ArrowUp: { column: 0, row: 1 },
  ArrowDown: { column: 0, row: -1 },
};

function describe(grid: HeatGrid, range: CellRange): string {
  let count = 0;
  let errors = 0;
  for (let column = range.columnFrom; column <= range.columnTo; column++) {
    for (let row = range.rowFrom; row <= range.rowTo; row++) {
      count += grid.counts[column * grid.rows + row] ?? 0;
      errors += grid.errors[column * grid.rows + row] ?? 0;
    }
  }
  const { startUs, endUs } = selectionOf(grid, range);
  const low = formatDuration(rowStartUs(grid, range.rowFrom));
  const high = formatDuration(rowStartUs(grid, range.rowTo + 1));
  const times = `${formatClock(startUs).slice(0, 8)} – ${formatClock(endUs).slice(0, 8)}`;
  const failed = errors > 0 ? `, ${formatCount(errors)} failed` : '';
  return `${plural(count, 'request')}${failed} · ${low} – ${high} · ${times}`;
}

function cellUnder(grid: HeatGrid, plot: Box, event: PointerEvent): Cell {
  const box = event.currentTarget.getBoundingClientRect();
  return cellAt(grid, plot, event.clientX - box.left, event.clientY - box.top);
}

function moved(grid: HeatGrid, from: Cell, by: Cell): Cell {
  return {
    column: Math.max(0, Math.min(grid.columns - 1, from.column + by.column)),
    row: Math.max(0, Math.min(grid.rows - 1, from.row + by.row)),
  };
}

interface SelectionProps {
  readonly grid: HeatGrid;
  readonly plot: Box;
  readonly range: CellRange;
  readonly isDragging: boolean;
}

/** The box under the cursor, and what it holds. */
function Selection({ grid, plot, range, isDragging }: SelectionProps): ReactNode {
  const className = isDragging ? 'heat-box heat-box-drag' : 'heat-box';
  return (
    <>
      <div className={className} style={{ ...cellBox(grid, plot, range) }} />
      <output className="heat-note">{describe(grid, range)}</output>
    </>
  );
}

/**
 * Latency over time as a heat map. Dragging a box selects the requests in it; by keyboard, arrows
 * move a cursor, with Shift they stretch the box, Enter selects it.
 */
export function HeatMap({ grid, onSelect }: HeatMapProps): ReactNode {
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  const draw = useMemo(() => heatMapDrawing(grid), [grid]);
  const canvas = useCanvas(draw, size);
  const [anchor, setAnchor] = useState<Cell | undefined>(undefined);
  const [cursor, setCursor] = useState<Cell | undefined>(undefined);
  const [isDragging, setDragging] = useState(false);
  const plot = plotBox(size.width, size.height);
  const inGrid = cursor !== undefined && cursor.column < grid.columns && cursor.row < grid.rows;
  const range = inGrid ? cellRange(anchor ?? cursor, cursor) : undefined;
  const cellOf = (event: PointerEvent): Cell => cellUnder(grid, plot, event);
  const onKeyDown = (event: KeyboardEvent): void => {
    const arrow = ARROWS[event.key];
    if (arrow !== undefined) {
      const from = cursor ?? busiestCell(grid);
      if (!event.shiftKey) setAnchor(undefined);
      else if (anchor === undefined) setAnchor(from);
      setCursor(moved(grid, from, arrow));
    } else if (event.key === 'Enter' && range !== undefined) onSelect(selectionOf(grid, range));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const begin = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setAnchor(cellOf(event));
    setCursor(cellOf(event));
    setDragging(true);
  };
  const finish = (event: PointerEvent): void => {
    if (!isDragging || anchor === undefined) return;
    setDragging(false);
    setAnchor(undefined);
    onSelect(selectionOf(grid, cellRange(anchor, cellOf(event))));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: no element is a two-dimensional range control.
    <div
      ref={frame}
      className="heat-map"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrows move a cursor over the cells.
      tabIndex={0}
      aria-label={`Latency of ${plural(grid.total, 'request')} over time. ${KEYS}`}
      onKeyDown={onKeyDown}
      onPointerDown={begin}
      onPointerMove={(event) => setCursor(cellOf(event))}
      onPointerUp={finish}
      onPointerCancel={() => setDragging(false)}
      onPointerLeave={() => !isDragging && setCursor(undefined)}
    >
      <canvas ref={canvas} />
      {range !== undefined && (
        <Selection grid={grid} plot={plot} range={range} isDragging={isDragging} />
      )}
    </div>
  );
}
