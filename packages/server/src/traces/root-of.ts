import { l7FlowLog, qualifiedName } from '@thalweg/model';
import { apiError } from '../errors.ts';
import type { Store } from '../storage/store.ts';
import { keyOfText } from '../trace-key.ts';
import { IN_INDEXED_INTERVALS, keyOf } from './trace-index.ts';

interface LookUp {
  readonly condition: string;
  readonly params: Readonly<Record<string, string | readonly (string | number)[]>>;
}

/**
 * The root under which rows with the id are stored: a root, wire id or span id (decimal), or a trace
 * id (hex). All look-ups go by key and run at once. Throws `bad_id` and `trace_not_found`.
 */
export async function rootOf(store: Store, id: string): Promise<string> {
  const isDecimal = /^\d{1,20}$/.test(id) && BigInt(id) < 2n ** 64n;
  const isTraceId = /^[0-9a-f]{16,32}$/i.test(id);
  if (!isDecimal && !isTraceId) throw apiError('bad_id', { id });
  const lookUps = [...(isDecimal ? ofNumber(id) : []), ...(isTraceId ? ofHex(id) : [])];
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
  if (root === undefined && !isDecimal) throw apiError('trace_not_found', { id });
  return root === undefined ? id : String(root); // It may be a root that has aliases only.
}

function ofNumber(id: string): readonly LookUp[] {
  return [
    {
      condition: `${IN_INDEXED_INTERVALS} AND (root_hash = {id:UInt64} OR wire_id = {id:UInt64})`,
      params: { id, keys: [keyOf(id)] },
    },
    // Row ids count up: the filter over `_id >> 16` leaves a few thousand rows to look at.
    {
      condition: 'bitShiftRight(_id, 16) = bitShiftRight({id:UInt64}, 16) AND _id = {id:UInt64}',
      params: { id },
    },
  ];
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
