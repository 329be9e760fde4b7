import { l7FlowLog, qualifiedName, type ValuesAnswer, type ValuesQuery } from '@thalweg/model';
import { apiError } from '../errors.ts';
import type { Store } from '../storage/store.ts';

const COLUMNS: Readonly<Record<ValuesQuery['field'], string>> = {
  service: 'app_service',
  endpoint: 'endpoint',
  method: 'request_type',
  status: 'toString(response_code)',
  host: 'request_domain',
};

/** Values of a field in a time range that start with `prefix`, the most frequent first. */
export async function readValues(store: Store, query: ValuesQuery): Promise<ValuesAnswer> {
  const { field, start, end, prefix, limit } = query;
  if (end < start) throw apiError('bad_time_range', { start, end });
  const { rows } = await store.query(
    `SELECT ${COLUMNS[field]} AS value, count() AS n FROM ${qualifiedName(l7FlowLog)}
     WHERE time >= toDateTime(intDiv({start:Int64}, 1000000))
       AND time <= toDateTime(intDiv({end:Int64}, 1000000) + 1)
       AND value != '' AND startsWith(value, {prefix:String})
     GROUP BY value ORDER BY n DESC, value LIMIT {most:UInt32}`,
    { params: { start, end, prefix, most: limit } },
  );
  return { values: rows.map(([value, count]) => ({ value: String(value), count: Number(count) })) };
}
