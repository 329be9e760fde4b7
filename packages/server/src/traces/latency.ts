import { type LatencyAnswer, l7FlowLog, qualifiedName } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { ERROR_STATUSES, type FilterQuery, rowFilter, STARTED_WITHIN } from './filter.ts';

const TABLE = qualifiedName(l7FlowLog);

const BUCKETS = 120;
const CELLS_MAX = BUCKETS * 80;

/**
 * Where a request was served: in the kernel's eyes (`s-p`); in a trace that only an SDK told of, by
 * its server spans. So a request seen at several points counts once.
 */
const SERVED = `(observation_point = 's-p' OR observation_point = 's-app' AND root_hash NOT IN (
  SELECT root_hash FROM ${TABLE} WHERE ${STARTED_WITHIN.join(' AND ')} AND observation_point = 's-p'))`;

/** Requests by time and latency, each counted once, where it was served. */
export async function readLatency(store: Store, query: FilterQuery): Promise<LatencyAnswer> {
  const { where, params } = rowFilter(query);
  const bucketUs = Math.max(1, Math.ceil((query.end - query.start) / BUCKETS));
  const { rows } = await store.query(
    `SELECT {start:Int64} + intDiv(toUnixTimestamp64Micro(start_time) - {start:Int64}, {bucket:Int64})
         * {bucket:Int64} AS bucket_start,
       toInt32(floor(2 * log2(greatest(response_duration, 1)))) AS latency_row,
       count(), countIf(response_status IN (${ERROR_STATUSES}))
     FROM ${TABLE} WHERE ${where} AND ${SERVED}
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
