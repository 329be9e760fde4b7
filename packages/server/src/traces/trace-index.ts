import { l7FlowLog, qualifiedName, sortKey, TRACE_INTERVAL_S, traceIndex } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { keyOfId, keyOfRow } from '../trace-key.ts';

const [INTERVAL = ''] = sortKey(l7FlowLog);
const INDEX = qualifiedName(traceIndex);
const INTERVAL_OF_ENTRY = `intDiv(toUnixTimestamp(time), ${TRACE_INTERVAL_S})`;
/** Entries that one look-up answers: roots and intervals must fit into the address of a query. */
const PLACES_MAX = 20_000;

/** Condition on a row of l7_flow_log: it lies in one of `{intervals:Array(UInt32)}`. */
export const IN_INTERVALS = `${INTERVAL} IN {intervals:Array(UInt32)}`;

/**
 * Condition on a row of l7_flow_log: it lies in an interval that holds one of the ids whose keys are
 * `{keys:Array(UInt32)}`. Others may share a key: the condition on the id itself must follow.
 */
export const IN_INDEXED_INTERVALS = `${INTERVAL} IN (
  SELECT ${INTERVAL_OF_ENTRY} FROM ${INDEX} WHERE key IN {keys:Array(UInt32)})`;

/** What `trace_index` says of some keys. Roots are decimal. */
export interface Places {
  /** Roots of rows with an id that has one of the keys. */
  readonly roots: readonly string[];
  /** Intervals that hold these rows. */
  readonly intervals: readonly number[];
  /** More entries than are read at once: there are other intervals. */
  readonly isCut: boolean;
  /** False: no other root belongs to the trace of this one. */
  mayBeJoined(root: string): boolean;
}

/** Where the rows lie that have an id with one of the keys. Others may share a key. */
export async function placesOf(store: Store, keys: readonly number[]): Promise<Places> {
  const { rows } = await store.query(
    `SELECT key, root_hash, ${INTERVAL_OF_ENTRY} FROM ${INDEX}
     PREWHERE key IN {keys:Array(UInt32)} LIMIT ${PLACES_MAX}`,
    { params: { keys }, isByKey: true },
  );
  const entries = rows.map(([key, root]) => `${key} ${root}`);
  return {
    roots: [...new Set(rows.map(([, root]) => String(root)))],
    intervals: [...new Set(rows.map(([, , interval]) => Number(interval)))],
    isCut: rows.length === PLACES_MAX,
    // A root that was joined with it is entered under its key, too.
    mayBeJoined: (root) => {
      const start = `${keyOf(root)} `;
      return entries.some((entry) => entry.startsWith(start) && entry !== start + root);
    },
  };
}

/** The key of a wire id or a root, given as a decimal number. */
export function keyOf(id: string): number {
  return keyOfId(...halvesOf(id));
}

/** The key of a row id, given as a decimal number. */
export function rowKeyOf(id: string): number {
  return keyOfRow(...halvesOf(id));
}

function halvesOf(id: string): [low: number, high: number] {
  const whole = BigInt(id);
  return [Number(whole & 0xffffffffn), Number(whole >> 32n)];
}
