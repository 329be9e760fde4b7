import { type LatencyAnswer, l7FlowLog, qualifiedName } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { ERROR_STATUSES, type FilterQuery, rowFilter } from './filter.ts';

const BUCKETS = 120;
const CELLS_MAX = BUCKETS * 80;

/**
 * Requests by time and latency. Each is counted where it was served (`s-p`), so that a request seen
 * at several points counts once.
 */
export async function readLatency(store: Store, query: FilterQuery): Promise<LatencyAnswer> {
  const { where, params } = rowFilter(query);
  const bucketUs = Math.max(1, Math.ceil((query.end - query.start) / BUCKETS));
  const { rows } = await store.query(
    `SELECT {start:Int64} + intDiv(toUnixTimestamp64Micro(start_time) - {start:Int64}, {bucket:Int64})
         * {bucket:Int64} AS bucket_start,
       toInt32(floor(2 * log2(greatest(response_duration, 1)))) AS latency_row,
       count(), countIf(response_status IN (${ERROR_STATUSES}))
     FROM ${qualifiedName(l7FlowLog)} WHERE ${where} AND observation_point = 's-p'
     GROUP BY bucket_start, latency_row ORDER BY bucket_start, latency_row LIMIT {most:UInt32}`,
    { params: { ...params, bucket: bucketUs, most: CELLS_MAX } },
  );
  return {
    startUs: query.start,
    bucketUs,
    cells: rows.map(([time, row, count, errors]) => ({
      time: Number(time),
      row: Number(row),
      count: Number(count),
      errors: Number(errors),
    })),
  };
}
