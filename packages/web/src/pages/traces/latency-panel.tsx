import type { UseQueryResult } from '@tanstack/react-query';
import type { LatencyAnswer } from '@thalweg/model';
import { type ReactNode, useMemo, useState } from 'react';
import {
  type HeatGrid,
  type HeatSelection,
  rowStartUs,
  toGrid,
} from '../../panels/heat-map/geometry.ts';
import { HeatMap } from '../../panels/heat-map/heat-map.tsx';
import { formatCount, formatDuration } from '../../ui/format.ts';
import { FailureMessage, Message, Skeleton } from '../../ui/message.tsx';

interface LatencyPanelProps {
  readonly latency: UseQueryResult<LatencyAnswer>;
  readonly endUs: number;
  onSelect(selection: HeatSelection): void;
}

/** Latency over time, as a heat map or as its table. */
export function LatencyPanel({ latency, endUs, onSelect }: LatencyPanelProps): ReactNode {
  const [isTable, setTable] = useState(false);
  const { data } = latency;
  // Old data keeps its own range while new data loads: the end moves with the answer.
  const grid = useMemo(
    () => (data === undefined ? undefined : toGrid(data, Math.max(endUs, data.startUs + 1))),
    [data, endUs],
  );
  return (
    <section className="panel latency" aria-label="Latency">
      <header>
        <h2>Latency</h2>
        <span className="soft">each request where it was served; drag a box to select</span>
        <span className="spring" />
        <span className="heat-key" aria-hidden="true">
          few <i className="heat-key-plain" /> many <i className="heat-key-error" /> failing
        </span>
        <button
          type="button"
          className="text-button"
          aria-pressed={isTable}
          onClick={() => setTable(!isTable)}
        >
          {isTable ? 'Chart' : 'Table'}
        </button>
      </header>
      <div className="latency-body" aria-busy={latency.isFetching}>
        {latency.isPending && <Skeleton rows={4} label="Loading latency" />}
        {latency.isError && grid === undefined && (
          <FailureMessage
            title="The latency could not be read"
            error={latency.error}
            onRetry={() => void latency.refetch()}
          />
        )}
        {grid !== undefined && grid.total === 0 && <Message title="No requests to draw" />}
        {grid !== undefined &&
          grid.total > 0 &&
          (isTable ? <LatencyTable grid={grid} /> : <HeatMap grid={grid} onSelect={onSelect} />)}
      </div>
    </section>
  );
}

/** The same figures for eyes and ears that a picture does not serve: one line a latency band. */
function LatencyTable({ grid }: { grid: HeatGrid }): ReactNode {
  const rows = Array.from({ length: grid.rows }, (_, row) => {
    let count = 0;
    let errors = 0;
    for (let column = 0; column < grid.columns; column++) {
      count += grid.counts[column * grid.rows + row] ?? 0;
      errors += grid.errors[column * grid.rows + row] ?? 0;
    }
    return { row, count, errors };
  }).filter(({ count }) => count > 0);
  return (
    <table className="latency-table">
      <thead>
        <tr>
          <th scope="col">Latency</th>
          <th scope="col">Requests</th>
          <th scope="col">With errors</th>
        </tr>
      </thead>
      <tbody>
        {rows.reverse().map(({ row, count, errors }) => (
          <tr key={row}>
            <th scope="row">
              {formatDuration(rowStartUs(grid, row))} – {formatDuration(rowStartUs(grid, row + 1))}
            </th>
            <td>{formatCount(count)}</td>
            <td>{formatCount(errors)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
