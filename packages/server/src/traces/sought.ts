import { apiError } from '../errors.ts';
import { keyOfText } from '../trace-key.ts';
import { keyOf, rowKeyOf } from './trace-index.ts';

/** Ids that a row of a trace is known by. Decimal, but for the trace id. */
export interface RowIds {
  readonly root: string;
  readonly wireId: string;
  readonly spanId: string;
  readonly traceId: string;
}

/** What an id asks for. */
export interface Sought {
  /** Its keys in `trace_index`, of each kind of id that it may be. */
  readonly keys: readonly number[];
  /** How well it names a row; 0: not at all. */
  matchOf(row: RowIds): number;
  /** The root that it is, should it be one. */
  readonly root: string | undefined;
}

/**
 * An id as people give it: of a root, a wire id or a span id (decimal), or a trace id that the traffic
 * carried (hex). Throws `bad_id`.
 */
export function soughtOf(id: string): Sought {
  const isDecimal = /^\d{1,20}$/.test(id) && BigInt(id) < 2n ** 64n;
  const isTraceId = /^[0-9a-f]{16,32}$/i.test(id);
  if (!isDecimal && !isTraceId) throw apiError('bad_id', { id });
  const hex = id.toLowerCase();
  const short = /^0{16}([0-9a-f]{16})$/.exec(hex)?.[1];
  const traceIds = isTraceId ? [hex, ...(short === undefined ? [] : [short])] : [];
  // A trace whose traffic carried no id goes by its root's number, behind sixteen zeros.
  const root = isDecimal ? BigInt(id).toString() : short && BigInt(`0x${short}`).toString();
  return {
    keys: [
      ...(root === undefined ? [] : [keyOf(root)]),
      ...(isDecimal ? [rowKeyOf(id)] : []),
      ...traceIds.map(keyOfText),
    ],
    root,
    // Row ids count up from anywhere: where one is also someone's root or wire id, that is meant.
    // Digits alone are seldom a trace id.
    matchOf: (row) => {
      if (isDecimal && (row.root === root || row.wireId === root)) return 4;
      if (isDecimal && row.spanId === root) return 3;
      if (traceIds.includes(row.traceId)) return 2;
      return row.root === root ? 1 : 0;
    },
  };
}
