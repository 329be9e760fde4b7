import { readBlock, TABLES, valuesOf } from '@thalweg/model';
import type { Kept, TableBatch, TelemetrySink } from '../telemetry-sink.ts';

export interface RecordedSink extends TelemetrySink {
  /** Rows of a table so far, as plain objects. Throws what is wrong with a block. */
  rows(table: string): Record<string, unknown>[];
  /** What later flushes are answered with. */
  answer: Kept;
}

/** For tests: keeps every block in memory and checks it as the server's ingest would. */
export function createRecordedSink(): RecordedSink {
  const kept: TableBatch[] = [];
  return {
    answer: { status: 'kept' },
    async keep(batches) {
      if (this.answer.status === 'kept') kept.push(...batches.map(copyOf));
      return this.answer;
    },
    rows: (name) => kept.filter(({ table }) => table === name).flatMap(rowsOf),
  };
}

/** The batch with bytes of its own: a sender may write over the others once they are kept. */
export function copyOf({ table, block }: TableBatch): TableBatch {
  return { table, block: { ...block, bytes: block.bytes.slice() } };
}

function rowsOf({ table: name, block: { bytes } }: TableBatch): Record<string, unknown>[] {
  const table = TABLES.find((one) => one.name === name);
  if (table === undefined) throw new Error(`no table ${name}`);
  const read = readBlock(table, bytes, { columns: 'agent' });
  if (read.kind === 'invalid') throw new Error(`${read.code}: ${read.message}`);
  const columns = [...read.block.columns.keys()].map((column) => {
    return [column, valuesOf(read.block, column)] as const;
  });
  return Array.from({ length: read.block.rows }, (_, row) =>
    Object.fromEntries(columns.map(([column, values]) => [column, values[row]])),
  );
}
