import type { EncodedBlock } from '@thalweg/model';

/** Rows of one table: a Native block of the columns that a sender fills. */
export interface TableBatch {
  readonly table: string;
  readonly block: EncodedBlock;
}

export type Kept =
  | {
      readonly status: 'kept';
      /** Rows left out because their time is out of the table's retention or far ahead; 0 if absent. */
      readonly dropped?: number;
    }
  | { readonly status: 'busy'; readonly retryAfterS: number }
  | { readonly status: 'refused'; readonly code: string; readonly message: string };

/**
 * Where receivers put what they decoded: the server's ingest, or an agent's spool. `kept` means on
 * disk, all batches or none; only then may a sender be told that its data was taken. The blocks'
 * bytes may be written over once it resolves.
 */
export interface TelemetrySink {
  /** Blocks may leave out columns whose values are all the kind's default. */
  readonly fillsDefaults?: boolean;
  keep(batches: readonly TableBatch[]): Promise<Kept>;
}
