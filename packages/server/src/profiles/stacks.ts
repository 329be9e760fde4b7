import { inProcessProfile, inProcessStack, qualifiedName } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import type { ProfileFilter } from './profile-filter.ts';

/** Frames from the root to the leaf, joined by `;`, and the sum of its values. */
export interface StackSum {
  readonly stack: string;
  readonly value: number;
}

const SAMPLES = qualifiedName(inProcessProfile);
const STACKS = qualifiedName(inProcessStack);
/** Distinct stacks of one answer, the largest; the others are one frame together. */
const STACKS_MAX = 50_000;
const LIMITS = { timeoutMs: 30_000, memoryBytes: 2 ** 30, rowsMax: STACKS_MAX + 1 };
export const OTHER_FRAME = 'other';

/**
 * Sums of the samples that meet the filter, by stack, the largest first. A stack whose text has not
 * arrived goes by its id.
 */
export async function readStacks(
  store: Store,
  { where, params }: ProfileFilter,
): Promise<readonly StackSum[]> {
  const { rows } = await store.query(
    `SELECT if(text = '', concat('[unknown] ', toString(id)), text), sum FROM (
       SELECT stack_id AS id, sum(profile_value) AS sum FROM ${SAMPLES} WHERE ${where}
       GROUP BY id ORDER BY sum DESC, id LIMIT ${STACKS_MAX}
     ) AS sums LEFT JOIN (
       SELECT stack_id AS id, any(profile_location_str) AS text FROM ${STACKS}
       WHERE stack_id IN (SELECT stack_id FROM ${SAMPLES} WHERE ${where}) GROUP BY id
     ) AS texts USING (id) ORDER BY sum DESC, id`,
    { params, limits: LIMITS },
  );
  const stacks = rows.map(([stack, value]) => ({ stack: String(stack), value: Number(value) }));
  if (stacks.length < STACKS_MAX) return stacks;
  const total = await store.query(`SELECT sum(profile_value) FROM ${SAMPLES} WHERE ${where}`, {
    params,
  });
  const shown = stacks.reduce((sum, { value }) => sum + value, 0);
  const rest = Number(total.rows[0]?.[0] ?? 0) - shown;
  return rest > 0 ? [...stacks, { stack: OTHER_FRAME, value: rest }] : stacks;
}
