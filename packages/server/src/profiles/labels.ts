import { inProcessProfile, qualifiedName } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { COLUMN_LABELS, labelSql, type ProfileFilter } from './profile-filter.ts';
import type { ProfileType } from './selector.ts';

const SAMPLES = qualifiedName(inProcessProfile);
const ANSWERS_MAX = 10_000;

/** The event types there are in the range, with their units. */
export async function readProfileTypes(
  store: Store,
  { where, params }: ProfileFilter,
): Promise<readonly ProfileType[]> {
  const { rows } = await store.query(
    `SELECT DISTINCT profile_event_type, profile_value_unit FROM ${SAMPLES} WHERE ${where}
     ORDER BY 1, 2 LIMIT ${ANSWERS_MAX}`,
    { params },
  );
  return rows.map(([event, unit]) => ({ event: String(event), unit: String(unit) }));
}

export async function readLabelNames(
  store: Store,
  { where, params }: ProfileFilter,
): Promise<readonly string[]> {
  const { rows } = await store.query(
    `SELECT DISTINCT arrayJoin(tag_names) AS name FROM ${SAMPLES} WHERE ${where}
     ORDER BY name LIMIT ${ANSWERS_MAX}`,
    { params },
  );
  if (rows.length === 0) {
    const any = await store.query(`SELECT 1 FROM ${SAMPLES} WHERE ${where} LIMIT 1`, { params });
    if (any.rows.length === 0) return [];
  }
  return [...new Set([...COLUMN_LABELS, ...rows.map(([name]) => String(name))])].sort();
}

export async function readLabelValues(
  store: Store,
  name: string,
  { where, params }: ProfileFilter,
): Promise<readonly string[]> {
  const all: Record<string, string | number | readonly (string | number)[]> = { ...params };
  const { rows } = await store.query(
    `SELECT DISTINCT ${labelSql(name, 'label', all)} AS value FROM ${SAMPLES}
     WHERE ${where} AND value != '' ORDER BY value LIMIT ${ANSWERS_MAX}`,
    { params: all },
  );
  return rows.map(([value]) => String(value));
}

/** Distinct sets of the labels in `names`. */
export async function readLabelSets(
  store: Store,
  names: readonly string[],
  { where, params }: ProfileFilter,
): Promise<readonly (readonly (readonly [string, string])[])[]> {
  const all: Record<string, string | number | readonly (string | number)[]> = { ...params };
  const columns = names.map((name, at) =>
    name === '__profile_type__'
      ? `concat(profile_event_type, ':', profile_event_type, ':', profile_value_unit, ':', profile_event_type, ':', profile_value_unit)`
      : labelSql(name, `l${at}`, all),
  );
  const { rows } = await store.query(
    `SELECT DISTINCT ${columns.join(', ')} FROM ${SAMPLES} WHERE ${where} LIMIT ${ANSWERS_MAX}`,
    { params: all },
  );
  return rows.map((row) =>
    names.flatMap((name, at) => {
      const value = String(row[at] ?? '');
      return value === '' ? [] : [[name, value] as const];
    }),
  );
}
