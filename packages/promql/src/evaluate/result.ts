// Rows as the answer's value.
import { compareLabels } from '../labels.ts';
import { type TimeGrid, timeAt } from './evaluation.ts';
import type { MatrixSeries, QueryValue, VectorSample } from './query.ts';
import { HISTOGRAM, NONE, type Row, type Value } from './row.ts';
import type { RangeInput } from './select.ts';
import { moveWindow, openWindow, samplesOf } from './window.ts';

export function instantValue(value: Value, timeMs: number): QueryValue {
  switch (value.kind) {
    case 'scalar':
      return { kind: 'scalar', timeMs, value: value.values[0] ?? Number.NaN };
    case 'string':
      return { kind: 'string', timeMs, value: value.value };
    case 'vector':
      return {
        kind: 'vector',
        samples: value.rows.map(
          (row): VectorSample => ({ labels: row.labels, ...pointAt(row, 0, timeMs) }),
        ),
      };
  }
}

export function rangeValue(value: Value, grid: TimeGrid): QueryValue {
  if (value.kind === 'string') return { kind: 'matrix', series: [] };
  if (value.kind === 'scalar') {
    const points = Array.from(value.values, (one, step) => ({
      timeMs: timeAt(grid, step),
      value: one,
    }));
    return { kind: 'matrix', series: [{ labels: [], points }] };
  }
  const series = value.rows.map((row): MatrixSeries => {
    const points: MatrixSeries['points'][number][] = [];
    for (let step = 0; step < grid.steps; step++) {
      if (row.has[step] !== NONE) points.push(pointAt(row, step, timeAt(grid, step)));
    }
    return { labels: row.labels, points };
  });
  return { kind: 'matrix', series };
}

function pointAt(row: Row, step: number, timeMs: number): MatrixSeries['points'][number] {
  const value = row.values[step] ?? Number.NaN;
  const histogram = row.has[step] === HISTOGRAM ? row.histograms?.[step] : undefined;
  return histogram === undefined ? { timeMs, value } : { timeMs, value: histogram.sum, histogram };
}

/** A range vector as the whole answer of an instant query. */
export function rangesValue(input: RangeInput): QueryValue {
  const series: MatrixSeries[] = [];
  for (const one of input.series) {
    const window = openWindow(one);
    moveWindow(window, input, 0);
    const points = samplesOf(window).map(({ timeMs, sample }) =>
      typeof sample === 'number'
        ? { timeMs, value: sample }
        : { timeMs, value: sample.sum, histogram: sample },
    );
    if (points.length > 0) series.push({ labels: one.labels, points });
  }
  return { kind: 'matrix', series: series.sort((a, b) => compareLabels(a.labels, b.labels)) };
}
