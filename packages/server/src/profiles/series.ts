import { inProcessProfile, qualifiedName } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { labelSql, type ProfileFilter } from './profile-filter.ts';

export interface ProfileSeries {
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** In order of time; steps without a sample are left out. */
  readonly points: readonly { readonly timeMs: number; readonly value: number }[];
}

const SAMPLES = qualifiedName(inProcessProfile);
const POINTS_MAX = 100_000;

/** Sums (or averages) by step and by the labels in `groupBy`. A point stands at its step's start. */
export async function readProfileSeries(
  store: Store,
  { where, params }: ProfileFilter,
  options: {
    readonly stepS: number;
    readonly groupBy: readonly string[];
    readonly isAverage: boolean;
  },
): Promise<readonly ProfileSeries[]> {
  const all: Record<string, string | number | readonly (string | number)[]> = {
    ...params,
    step: Math.max(1, Math.floor(options.stepS)),
  };
  const labels = options.groupBy.map((name, at) => labelSql(name, `g${at}`, all));
  const value = options.isAverage ? 'avg(profile_value)' : 'sum(profile_value)';
  const { rows } = await store.query(
    `SELECT intDiv(toUnixTimestamp(time), {step:UInt32}) * {step:UInt32} AS at, ${value},
       [${labels.map((label) => `toString(${label})`).join(', ')}]::Array(String) AS labels
     FROM ${SAMPLES} WHERE ${where} GROUP BY at, labels ORDER BY labels, at`,
    { params: all, limits: { rowsMax: POINTS_MAX } },
  );
  const series = new Map<string, { labels: ProfileSeries['labels']; points: Point[] }>();
  for (const [at, sum, values] of rows) {
    const key = JSON.stringify(values);
    let one = series.get(key);
    if (one === undefined) {
      const texts = Array.isArray(values) ? values.map(String) : [];
      one = {
        labels: options.groupBy.map((name, i) => [name, texts[i] ?? ''] as const),
        points: [],
      };
      series.set(key, one);
    }
    one.points.push({ timeMs: Number(at) * 1e3, value: Number(sum) });
  }
  return [...series.values()];
}

type Point = ProfileSeries['points'][number];
