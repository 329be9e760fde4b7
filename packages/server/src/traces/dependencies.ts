import { l7FlowLog, qualifiedName, SIGNAL_SOURCE_OTEL } from '@thalweg/model';
import type { Store } from '../storage/store.ts';

export interface Dependency {
  readonly parent: string;
  readonly child: string;
  readonly callCount: number;
}

const TABLE = qualifiedName(l7FlowLog);
const EDGES_MAX = 10_000;

const WITHIN = `time >= toDateTime(intDiv({start:Int64}, 1000000))
  AND time <= toDateTime(intDiv({end:Int64}, 1000000))`;

/**
 * The two ends of calls, `is_callee` or not: of exchanges that both ends were seen of, and of
 * application spans, where a server span was called by the span that it names as its parent.
 */
const ENDS = [
  `SELECT signal_source AS source, toString(wire_id) AS call, '' AS trace, observation_point = 's-p' AS is_callee,
     app_service AS service
   FROM ${TABLE} WHERE ${WITHIN} AND wire_id != 0 AND observation_point IN ('c-p', 's-p')`,
  `SELECT signal_source, span_id, trace_id, 0, app_service
   FROM ${TABLE} WHERE ${WITHIN} AND signal_source = ${SIGNAL_SOURCE_OTEL}`,
  `SELECT signal_source, parent_span_id, trace_id, 1, app_service
   FROM ${TABLE} WHERE ${WITHIN} AND observation_point = 's-app' AND parent_span_id != ''`,
];

/** Who calls whom. Calls that both an SDK and the kernel told of count once. */
export async function readDependencies(
  store: Store,
  range: { readonly startUs: number; readonly endUs: number },
): Promise<readonly Dependency[]> {
  const { rows } = await store.query(
    `SELECT parent, child, max(calls) AS calls FROM (
       SELECT source, parent, arrayJoin(children) AS child, count() AS calls FROM (
         SELECT source, anyIf(service, NOT is_callee) AS parent, groupArrayIf(service, is_callee) AS children
         FROM (${ENDS.join(' UNION ALL ')}) GROUP BY source, trace, call)
       WHERE parent != '' AND child != '' AND parent != child GROUP BY source, parent, child)
     GROUP BY parent, child ORDER BY calls DESC, parent, child LIMIT {most:UInt32}`,
    { params: { start: range.startUs, end: range.endUs, most: EDGES_MAX } },
  );
  return rows.map(([parent, child, calls]) => ({
    parent: String(parent),
    child: String(child),
    callCount: Number(calls),
  }));
}
