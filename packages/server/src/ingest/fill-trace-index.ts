import { l7FlowLog, qualifiedName, TRACE_INTERVAL_S, traceIndex } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { RUN_BITS } from '../trace-key.ts';

const ROWS = qualifiedName(l7FlowLog);
const INDEX = qualifiedName(traceIndex);
const HOURS_MAX = 10_000;

/**
 * Enters rows that an older version stored without an index, the newest hour first, so that a start
 * that was cut short goes on where it ended. Nothing to do: one query.
 */
export async function fillTraceIndex(store: Store): Promise<void> {
  const { rows } = await store.query(
    `SELECT DISTINCT toUInt32(toStartOfHour(time)) AS hour FROM ${ROWS}
     WHERE toStartOfHour(time) < (
       SELECT if(count() = 0, toDateTime('2100-01-01 00:00:00', 'UTC'), toStartOfHour(min(time)))
       FROM ${INDEX})
     ORDER BY hour DESC LIMIT {most:UInt32}`,
    { params: { most: HOURS_MAX } },
  );
  for (const [hour] of rows) {
    await store.execute(
      `INSERT INTO ${INDEX} (key, time) SELECT DISTINCT arrayJoin(arrayConcat(
         arrayMap(id -> toUInt32(bitAnd(bitXor(id, bitShiftRight(id, 32)), 0xffffffff)),
           [wire_id, root_hash, bitShiftRight(_id, ${RUN_BITS})]),
         arrayMap(id -> CRC32(id), arrayFilter(id -> id != '',
           [trace_id, x_request_id_0, x_request_id_1])))),
         toStartOfInterval(time, toIntervalSecond(${TRACE_INTERVAL_S}))
       FROM ${ROWS} WHERE toStartOfHour(time) = toDateTime(${Number(hour)}, 'UTC')`,
    );
  }
}
