import type { ColumnKind } from './column.ts';

/** Where a column's data lies within the block's bytes. */
export interface ColumnSpan {
  readonly kind: ColumnKind;
  readonly start: number;
  readonly end: number;
}

/** A block that is known to be whole; its values are decoded when they are asked for. */
export interface Block {
  readonly rows: number;
  /** Bytes that the block takes; more may follow, such as the next block of a file. */
  readonly size: number;
  /** A view of what was read or encoded, not a copy. */
  readonly bytes: Uint8Array;
  readonly columns: ReadonlyMap<string, ColumnSpan>;
  /** Offset behind the two counts: what follows is columns only. */
  readonly columnsStart: number;
}

/** A block that was encoded in this process: nothing in it is to be checked. */
export interface EncodedBlock extends Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
}
