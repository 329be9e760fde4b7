import { expect, test } from 'vitest';
import {
  cellAt,
  cellBox,
  cellRange,
  latencyTicks,
  plotBox,
  selectionOf,
  timeTicks,
  toGrid,
} from './geometry.ts';

const ANSWER = {
  startUs: 1_000_000,
  bucketUs: 1_000,
  cells: [
    { time: 1_000_000, row: 20, count: 4, errors: 0 },
    { time: 1_003_000, row: 24, count: 9, errors: 2 },
    { time: 9_000_000, row: 24, count: 100, errors: 0 },
  ],
};
const GRID = toGrid(ANSWER, 1_010_000);
const PLOT = plotBox(668, 128);

test('the grid holds the cells of its range and no others', () => {
  expect([GRID.columns, GRID.total, GRID.countMax]).toEqual([10, 13, 9]);
  expect(GRID.counts[3 * GRID.rows + 24 - GRID.firstRow]).toBe(9);
  expect(GRID.errors[3 * GRID.rows + 24 - GRID.firstRow]).toBe(2);
});

test('no requests make an empty grid, not a broken one', () => {
  const grid = toGrid({ ...ANSWER, cells: [] }, 1_010_000);
  expect([grid.total, grid.countMax]).toEqual([0, 0]);
  expect(grid.rows).toBeGreaterThan(0);
});

test('a point in a cell’s box belongs to that cell', () => {
  for (let column = 0; column < GRID.columns; column++) {
    for (let row = 0; row < GRID.rows; row++) {
      const range = { columnFrom: column, columnTo: column, rowFrom: row, rowTo: row };
      const box = cellBox(GRID, PLOT, range);
      const at = cellAt(GRID, PLOT, box.left + box.width / 2, box.top + box.height / 2);
      expect(at).toEqual({ column, row });
    }
  }
});

test('points outside belong to the nearest cell', () => {
  expect(cellAt(GRID, PLOT, -50, 1e6)).toEqual({ column: 0, row: 0 });
  expect(cellAt(GRID, PLOT, 1e6, -50)).toEqual({ column: 9, row: GRID.rows - 1 });
});

test('a box drawn in any direction selects time and latency of its cells', () => {
  const row = 24 - GRID.firstRow;
  const down = cellRange({ column: 5, row: row + 1 }, { column: 3, row });
  expect(down).toEqual(cellRange({ column: 3, row }, { column: 5, row: row + 1 }));
  expect(selectionOf(GRID, down)).toEqual({
    startUs: 1_003_000,
    endUs: 1_006_000,
    minDurationUs: 4_096,
    maxDurationUs: 8_192,
  });
});

test('ticks are powers of ten and round wall times inside of the plot', () => {
  expect(latencyTicks(GRID, PLOT).map((tick) => tick.us)).toEqual([1_000]);
  const hour = toGrid({ startUs: 7_000_000, bucketUs: 60_000_000, cells: [] }, 3_607_000_000);
  const ticks = timeTicks(hour, PLOT, 3_600);
  expect(ticks.map((tick) => tick.us % 600_000_000)).toEqual([0, 0, 0, 0, 0, 0]);
});
