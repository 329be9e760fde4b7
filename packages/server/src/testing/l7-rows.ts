import { createBatch, l7FlowLog, type RowOf } from '@thalweg/model';

/** Rows of l7_flow_log for tests: everything that is not given is empty or plausible. */
export type L7Row = RowOf<typeof l7FlowLog.columns>;

const BLANK = Object.fromEntries(
  Object.entries(l7FlowLog.columns).map(([name, { kind }]) => {
    if (kind === 'id') return [name, 0n];
    if (kind === 'texts' || kind === 'categories' || kind === 'ids' || kind === 'floats')
      return [name, []];
    return [name, kind === 'text' || kind === 'category' ? '' : 0];
  }),
);
const DURATION_US = 1_000;

/** A row that lasts 1 ms, with ids that count up. */
export function createRowMaker(startUs: number): (offsetUs: number, rest: Partial<L7Row>) => L7Row {
  let rowCount = 0n;
  return (offsetUs, rest) => {
    rowCount += 1n;
    const start = startUs + offsetUs;
    const filled = {
      ...BLANK,
      _id: rowCount,
      time: Math.floor((start + DURATION_US) / 1e6),
      start_time: start,
      end_time: start + DURATION_US,
      type: 2,
      l7_protocol: 20,
      signal_source: 3,
      response_code: 200,
      response_duration: BigInt(DURATION_US),
      request_type: 'GET',
      ...rest,
    };
    return filled as L7Row; // BLANK has every column of the declaration.
  };
}

export function encodeRows(rows: readonly L7Row[]): Uint8Array<ArrayBuffer> {
  const batch = createBatch(l7FlowLog);
  for (const row of rows) batch.push(row);
  return batch.encode();
}
