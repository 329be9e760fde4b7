import {
  type AnyTable,
  type Block,
  readBlock,
  selectRows,
  timeRangeOf,
  timesOf,
} from '@thalweg/model';

export type CheckedBlock =
  | {
      readonly kind: 'block';
      readonly block: Block;
      /** Rows that were left out: their time is out of range. */
      readonly dropped: number;
    }
  | { readonly kind: 'late'; readonly rows: number; readonly message: string }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export interface TimeRange {
  readonly nowMs: number;
  readonly retentionHours: number;
}

/** Clocks differ; rows from later than this are a wrong clock. */
const FUTURE_S = 600;

/** Checks a sender's bytes against the table's declaration, then its times. */
export function checkBlock(table: AnyTable, bytes: Uint8Array, range: TimeRange): CheckedBlock {
  const read = readBlock(table, bytes, { columns: 'agent' });
  return read.kind === 'invalid'
    ? { ...read, kind: 'refused' }
    : withinTime(table, read.block, range);
}

/**
 * Rows out of the retention would be gone at once and make a partition for each hour: they are left
 * out. `late` when none is left.
 */
export function withinTime(
  table: AnyTable,
  block: Block,
  { nowMs, retentionHours }: TimeRange,
): CheckedBlock {
  const perSecond = table.columns[table.timeColumn]?.kind === 'millis' ? 1e3 : 1;
  const nowS = Math.floor(nowMs / 1e3);
  const first = (nowS - retentionHours * 3_600) * perSecond;
  const last = (nowS + FUTURE_S) * perSecond;
  const range = timeRangeOf(block, table.timeColumn);
  if (range.first >= first && range.last <= last) return { kind: 'block', block, dropped: 0 };
  const times = timesOf(block, table.timeColumn);
  const isIn = (time: number): boolean => time >= first && time <= last;
  const dropped = times.reduce((count, time) => count + (isIn(time) ? 0 : 1), 0);
  if (dropped < block.rows) {
    return {
      kind: 'block',
      block: selectRows(table, block, (row) => isIn(times[row] ?? 0)),
      dropped,
    };
  }
  return {
    kind: 'late',
    rows: block.rows,
    message: faultOf((times[0] ?? 0) / perSecond, nowMs, retentionHours),
  };
}

function faultOf(timeS: number, nowMs: number, hours: number): string {
  const ageS = Math.round(nowMs / 1e3 - timeS);
  return ageS < 0
    ? `all rows are from ${-ageS} s ahead or more: check the sender's clock`
    : `all rows are of ${ageS} s ago or so, kept are ${hours} hours`;
}
