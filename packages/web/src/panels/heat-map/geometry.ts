import type { LatencyAnswer } from '@thalweg/model';

/** Room for the axes, in CSS pixels. */
const MARGIN = { left: 56, right: 12, top: 8, bottom: 20 };
const ROWS_SHOWN_MIN = 10;
/** 2^40 µs are 12 days: nothing lasts longer here. */
const ROWS_MAX = 80;

export interface HeatGrid {
  readonly startUs: number;
  readonly bucketUs: number;
  readonly columns: number;
  /** Rows shown are `[firstRow, firstRow + rows)`; row i holds [2^(i/2), 2^((i+1)/2)) µs. */
  readonly firstRow: number;
  readonly rows: number;
  /** By `column * rows + (row - firstRow)`. */
  readonly counts: Float64Array;
  readonly errors: Float64Array;
  readonly countMax: number;
  readonly total: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A selected part, by cells; both ends inclusive. Row counts from the grid's first. */
export interface CellRange {
  readonly columnFrom: number;
  readonly columnTo: number;
  readonly rowFrom: number;
  readonly rowTo: number;
}

/** Inclusive start, exclusive end, both in µs. */
export interface HeatSelection {
  readonly startUs: number;
  readonly endUs: number;
  readonly minDurationUs: number;
  readonly maxDurationUs: number;
}

/** Cells as a dense grid over `[answer.startUs, endUs)`. Cells outside of it are left out. */
export function toGrid(answer: LatencyAnswer, endUs: number): HeatGrid {
  const { startUs, bucketUs } = answer;
  const columns = Math.max(1, Math.ceil((endUs - startUs) / Math.max(1, bucketUs)));
  const drawn = answer.cells.filter(
    (cell) => cell.row >= 0 && cell.row < ROWS_MAX && cell.count > 0,
  );
  const lowest = drawn.reduce((low, cell) => Math.min(low, cell.row), ROWS_MAX);
  const highest = drawn.reduce((high, cell) => Math.max(high, cell.row), 0);
  const rows = Math.max(ROWS_SHOWN_MIN, highest - lowest + 3);
  const firstRow = Math.max(0, Math.min(lowest - 1, highest + 2 - rows));
  const counts = new Float64Array(columns * rows);
  const errors = new Float64Array(columns * rows);
  let countMax = 0;
  let total = 0;
  for (const cell of drawn) {
    const column = Math.floor((cell.time - startUs) / Math.max(1, bucketUs));
    if (column < 0 || column >= columns) continue;
    const index = column * rows + cell.row - firstRow;
    counts[index] = (counts[index] ?? 0) + cell.count;
    errors[index] = (errors[index] ?? 0) + cell.errors;
    countMax = Math.max(countMax, counts[index] ?? 0);
    total += cell.count;
  }
  return { startUs, bucketUs, columns, firstRow, rows, counts, errors, countMax, total };
}

/** Lower edge of a grid row, in µs. */
export function rowStartUs(grid: HeatGrid, row: number): number {
  return 2 ** ((grid.firstRow + row) / 2);
}

/** Where the cells are drawn. Low latency is at the bottom. */
export function plotBox(width: number, height: number): Box {
  return {
    left: MARGIN.left,
    top: MARGIN.top,
    width: Math.max(1, width - MARGIN.left - MARGIN.right),
    height: Math.max(1, height - MARGIN.top - MARGIN.bottom),
  };
}

/** Pixels of one or more cells. */
export function cellBox(grid: HeatGrid, plot: Box, range: CellRange): Box {
  const cellWidth = plot.width / grid.columns;
  const cellHeight = plot.height / grid.rows;
  return {
    left: plot.left + range.columnFrom * cellWidth,
    top: plot.top + plot.height - (range.rowTo + 1) * cellHeight,
    width: (range.columnTo - range.columnFrom + 1) * cellWidth,
    height: (range.rowTo - range.rowFrom + 1) * cellHeight,
  };
}

/** The cell under a point; a point outside of the plot belongs to the nearest one. */
export function cellAt(
  grid: HeatGrid,
  plot: Box,
  x: number,
  y: number,
): { column: number; row: number } {
  const column = Math.floor(((x - plot.left) / plot.width) * grid.columns);
  const row = Math.floor(((plot.top + plot.height - y) / plot.height) * grid.rows);
  return { column: clamp(column, grid.columns), row: clamp(row, grid.rows) };
}

function clamp(index: number, count: number): number {
  return Math.max(0, Math.min(count - 1, index));
}

/** The cell with the most requests: where a cursor is placed first. */
export function busiestCell(grid: HeatGrid): { column: number; row: number } {
  const index = Math.max(0, grid.counts.indexOf(grid.countMax));
  return { column: Math.floor(index / grid.rows), row: index % grid.rows };
}

/** The cells that span two corners, in any order. */
export function cellRange(
  a: { column: number; row: number },
  b: { column: number; row: number },
): CellRange {
  return {
    columnFrom: Math.min(a.column, b.column),
    columnTo: Math.max(a.column, b.column),
    rowFrom: Math.min(a.row, b.row),
    rowTo: Math.max(a.row, b.row),
  };
}

/** Time and latency that cells stand for, rounded outwards to whole µs. */
export function selectionOf(grid: HeatGrid, range: CellRange): HeatSelection {
  return {
    startUs: Math.floor(grid.startUs + range.columnFrom * grid.bucketUs),
    endUs: Math.ceil(grid.startUs + (range.columnTo + 1) * grid.bucketUs),
    minDurationUs: Math.floor(rowStartUs(grid, range.rowFrom)),
    maxDurationUs: Math.ceil(rowStartUs(grid, range.rowTo + 1)),
  };
}

const LATENCY_TICKS_US = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11];

/** Powers of ten that lie in the grid, with their pixel. */
export function latencyTicks(grid: HeatGrid, plot: Box): readonly { us: number; y: number }[] {
  const ticks: { us: number; y: number }[] = [];
  for (const us of LATENCY_TICKS_US) {
    const row = 2 * Math.log2(us) - grid.firstRow;
    if (row < 0 || row > grid.rows) continue;
    ticks.push({ us, y: plot.top + plot.height - (row / grid.rows) * plot.height });
  }
  return ticks;
}

const TIME_STEPS_S = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
];
const TIME_TICK_PX = 90;

/** Round wall times, far enough apart to be read. `offsetS` is the zone's, east positive. */
export function timeTicks(
  grid: HeatGrid,
  plot: Box,
  offsetS: number,
): readonly { us: number; x: number; stepS: number }[] {
  const spanUs = grid.columns * grid.bucketUs;
  const wantedS = (spanUs / 1e6) * (TIME_TICK_PX / plot.width);
  const stepS =
    TIME_STEPS_S.find((step) => step >= wantedS) ?? 86_400 * Math.ceil(wantedS / 86_400);
  const stepUs = stepS * 1e6;
  const ticks: { us: number; x: number; stepS: number }[] = [];
  const offsetUs = offsetS * 1e6;
  let us = Math.ceil((grid.startUs + offsetUs) / stepUs) * stepUs - offsetUs;
  for (; us <= grid.startUs + spanUs; us += stepUs) {
    ticks.push({ us, x: plot.left + ((us - grid.startUs) / spanUs) * plot.width, stepS });
  }
  return ticks;
}
