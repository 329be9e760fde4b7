import { inProcessProfile, inProcessStack, qualifiedName } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { type ProfileFilter, tagSql } from './profile-filter.ts';

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
 * arrived goes by its id. With `groupBy`, a frame `label=value` for each label is above the stack.
 */
export async function readStacks(
  store: Store,
  { where, params }: ProfileFilter,
  groupBy: readonly string[] = [],
): Promise<readonly StackSum[]> {
  const all: Record<string, string | number | readonly (string | number)[]> = { ...params };
  const labels = groupBy.map((name, at) => tagSql(name, `g${at}`, all));
  const { rows } = await store.query(
    `SELECT if(text = '', concat('[unknown] ', toString(id)), text), sum, groups FROM (
       SELECT stack_id AS id, sum(profile_value) AS sum, [${labels.join(', ')}]::Array(String) AS groups
       FROM ${SAMPLES} WHERE ${where}
       GROUP BY id, groups ORDER BY sum DESC, id, groups LIMIT ${STACKS_MAX}
     ) AS sums LEFT JOIN (
       SELECT stack_id AS id, any(profile_location_str) AS text FROM ${STACKS}
       WHERE stack_id IN (SELECT stack_id FROM ${SAMPLES} WHERE ${where}) GROUP BY id
     ) AS texts USING (id) ORDER BY sum DESC, id, groups`,
    { params: all, limits: LIMITS },
  );
  const stacks = rows.map(([stack, value, groups]) => ({
    stack: [...groupFrames(groupBy, groups), String(stack)].join(';'),
    value: Number(value),
  }));
  if (stacks.length < STACKS_MAX) return stacks;
  const total = await store.query(`SELECT sum(profile_value) FROM ${SAMPLES} WHERE ${where}`, {
    params,
  });
  const shown = stacks.reduce((sum, { value }) => sum + value, 0);
  const rest = Number(total.rows[0]?.[0] ?? 0) - shown;
  return rest > 0 ? [...stacks, { stack: OTHER_FRAME, value: rest }] : stacks;
}

/** `;` parts frames, so it cannot be in one. */
function groupFrames(groupBy: readonly string[], values: unknown): readonly string[] {
  const texts = Array.isArray(values) ? values.map(String) : [];
  return groupBy.map((name, at) => `${name}=${(texts[at] ?? '').replaceAll(';', ',')}`);
}
