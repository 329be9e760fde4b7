import { l7FlowLog, qualifiedName } from '@thalweg/model';
import { apiError } from '../errors.ts';
import type { Store } from '../storage/store.ts';
import { keyOfText } from '../trace-key.ts';
import { IN_INDEXED_INTERVALS, keyOf, runKeyOf } from './trace-index.ts';

interface LookUp {
  readonly condition: string;
  readonly params: Readonly<Record<string, string | readonly (string | number)[]>>;
}

/**
 * The root under which rows with the id are stored: a root, wire id or span id (decimal), or a trace
 * id (hex). All look-ups go by key. Throws `bad_id` and `trace_not_found`.
 */
export async function rootOf(store: Store, id: string): Promise<string> {
  const isDecimal = /^\d{1,20}$/.test(id) && BigInt(id) < 2n ** 64n;
  const isTraceId = /^[0-9a-f]{16,32}$/i.test(id);
  if (!isDecimal && !isTraceId) throw apiError('bad_id', { id });
  const root =
    (isDecimal ? await firstOf(store, [ofNumber(id)]) : undefined) ??
    // Digits alone are seldom a trace id, and few rows are of a version that entered no row ids.
    (await firstOf(store, [
      ...(isDecimal ? [ofRowBeforeIndex(id)] : []),
      ...(isTraceId ? ofHex(id) : []),
    ]));
  if (root === undefined && !isDecimal) throw apiError('trace_not_found', { id });
  return root ?? id; // It may be a root that has aliases only.
}

/** Of the look-ups, which run at once, the first one's root that has any. */
async function firstOf(store: Store, lookUps: readonly LookUp[]): Promise<string | undefined> {
  const found = await Promise.all(
    lookUps.map(async ({ condition, params }) => {
      const { rows } = await store.query(
        `SELECT toString(root_hash) FROM ${qualifiedName(l7FlowLog)} WHERE ${condition} LIMIT 1`,
        { params },
      );
      return rows[0]?.[0];
    }),
  );
  const root = found.find((one) => one !== undefined);
  return root === undefined ? undefined : String(root);
}

function ofNumber(id: string): LookUp {
  return {
    // Row ids count up from anywhere: where one is also someone's root or wire id, that is meant.
    condition: `${IN_INDEXED_INTERVALS}
      AND (root_hash = {id:UInt64} OR wire_id = {id:UInt64} OR _id = {id:UInt64})
      ORDER BY root_hash = {id:UInt64} OR wire_id = {id:UInt64} DESC`,
    params: { id, keys: [keyOf(id), runKeyOf(id)] },
  };
}

/** By the filter over `_id >> 16`, which leaves a few thousand rows to look at. */
function ofRowBeforeIndex(id: string): LookUp {
  return {
    condition: 'bitShiftRight(_id, 16) = bitShiftRight({id:UInt64}, 16) AND _id = {id:UInt64}',
    params: { id },
  };
}

function ofHex(id: string): readonly LookUp[] {
  const hex = id.toLowerCase();
  const short = /^0{16}([0-9a-f]{16})$/.exec(hex)?.[1];
  const ids = short === undefined ? [hex] : [hex, short];
  const byTraceId = {
    condition: `${IN_INDEXED_INTERVALS} AND trace_id IN {ids:Array(String)}`,
    params: { ids, keys: ids.map(keyOfText) },
  };
  if (short === undefined) return [byTraceId];
  // A trace whose traffic carried no id goes by its root's number, behind sixteen zeros.
  const root = BigInt(`0x${short}`).toString();
  const byRoot = {
    condition: `${IN_INDEXED_INTERVALS} AND root_hash = {id:UInt64}`,
    params: { id: root, keys: [keyOf(root)] },
  };
  return [byTraceId, byRoot];
}
