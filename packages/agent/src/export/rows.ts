import { createBatch, l7FlowLog } from '@thalweg/model';
import type { ProcessTable } from '../enrich/process-table.ts';
import type { TracedExchange } from '../trace/resolver.ts';
import { endpointOf } from './endpoint.ts';
import { remembered } from './remembered.ts';
import { type L7Columns, type RowContext, writeRow } from './row.ts';

/** A batch that fills: where rows gather between two flushes. */
export interface Rows {
  add(traced: TracedExchange): void;
  /** Hands on what has gathered, if anything. */
  flush(): void;
  /** Adds to the source's monotonic nanoseconds to give nanoseconds since the epoch. */
  setWallClockOffset(ns: number): void;
}

export interface RowsOptions {
  readonly agent: string;
  /** High half of every row id of this run. */
  readonly instance: number;
  readonly processes: ProcessTable;
  /** A Native block, in bytes that the callee owns. */
  readonly onBatch: (bytes: Uint8Array<ArrayBuffer>, rows: number) => void;
}

/** A batch of so many rows goes out before its time. */
const BATCH_ROWS_MAX = 16_384;

export function createRows({ agent, instance, processes, onBatch }: RowsOptions): Rows {
  const batch = createBatch(l7FlowLog);
  const rowIdHigh = BigInt(instance) << 32n;
  let rowCount = 0n;
  let current: TracedExchange | undefined;
  const context: { -readonly [Key in keyof RowContext]: RowContext[Key] } = {
    agent,
    process: processes.facts(process.pid, '', 0),
    wallClockOffsetNs: 0,
    id: 0n,
    endpoints: remembered((path) => endpointOf(path)),
  };

  function write(columns: L7Columns): void {
    if (current !== undefined) writeRow(columns, current, context);
  }

  function flush(): void {
    if (batch.rows === 0) return;
    onBatch(batch.encode(), batch.rows);
    batch.clear();
  }

  return {
    add(traced) {
      const { pid, comm, netns } = traced.exchange.connection;
      rowCount += 1n;
      context.process = processes.facts(pid, comm, netns);
      context.id = rowIdHigh | (rowCount & 0xffffffffn);
      current = traced;
      batch.add(write);
      if (batch.rows >= BATCH_ROWS_MAX) flush();
    },
    flush,
    setWallClockOffset(ns) {
      context.wallClockOffsetNs = ns;
    },
  };
}
