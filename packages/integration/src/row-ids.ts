/** Ids of rows: 64 bits, unique among the receivers whose `instance` differs. */
export interface RowIds {
  /** Puts the next id into an `_id` column. */
  pushTo(column: { pushHalves(low: number, high: number): void }): void;
}

/** `instance` is 32 random bits of this run; the other half counts rows. */
export function createRowIds(instance: number): RowIds {
  let high = instance >>> 0;
  let low = 0;
  return {
    pushTo: (column) => {
      low = (low + 1) >>> 0;
      if (low === 0) high = (high + 1) >>> 0;
      column.pushHalves(low, high);
    },
  };
}
