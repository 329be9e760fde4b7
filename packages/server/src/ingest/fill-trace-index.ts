import { l7FlowLog, qualifiedName, TRACE_INTERVAL_S, traceAlias, traceIndex } from '@thalweg/model';
import type { Store } from '../storage/store.ts';

const ROWS = qualifiedName(l7FlowLog);
const INDEX = qualifiedName(traceIndex);
const ALIASES = qualifiedName(traceAlias);
const HOURS_MAX = 10_000;
/** What `keyOfId` makes of an id, in SQL. */
const keyOfId = (id: string): string =>
  `toUInt32(bitAnd(bitXor(${id}, bitShiftRight(${id}, 32)), 0xffffffff))`;
const START = `toStartOfInterval(time, toIntervalSecond(${TRACE_INTERVAL_S}))`;

/**
 * Enters rows and aliases that an older version stored without an index or with another one, the
 * newest hour first, so that a start that was cut short goes on where it ended. Nothing to do: one query.
 */
export async function fillTraceIndex(store: Store): Promise<void> {
  const { rows } = await store.query(
    `SELECT toUInt32(toStartOfHour(time)) AS hour
     FROM (SELECT time FROM ${ROWS} UNION ALL SELECT time FROM ${ALIASES})
     WHERE toStartOfHour(time) < (
       SELECT if(count() = 0, toDateTime('2100-01-01 00:00:00', 'UTC'), toStartOfHour(min(time)))
       FROM ${INDEX})
     GROUP BY hour ORDER BY hour DESC LIMIT {most:UInt32}`,
    { params: { most: HOURS_MAX } },
  );
  for (const [hour] of rows) {
    const inHour = `WHERE toStartOfHour(time) = toDateTime(${Number(hour)}, 'UTC')`;
    await store.execute(
      `INSERT INTO ${INDEX} (key, time, root_hash)
       SELECT DISTINCT arrayJoin(arrayConcat(
         arrayMap(id -> ${keyOfId('id')}, [wire_id, root_hash]),
         arrayMap(id -> CRC32(id), arrayFilter(id -> id != '',
           [trace_id, x_request_id_0, x_request_id_1])),
         arrayMap(run -> toUInt32(bitAnd(bitXor(run, bitShiftRight(run, 24)), 0xffffff) * 256
             + bitAnd(_id, 255)),
           [${keyOfId('bitShiftRight(_id, 8)')}]))), ${START}, root_hash FROM ${ROWS} ${inHour}
       UNION ALL
       SELECT ${keyOfId('root')}, ${START}, other FROM ${ALIASES}
       ARRAY JOIN [old_root_hash, new_root_hash] AS root, [new_root_hash, old_root_hash] AS other
       ${inHour}`,
    );
  }
}
