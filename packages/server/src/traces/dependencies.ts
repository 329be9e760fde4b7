import { l7FlowLog, qualifiedName } from '@thalweg/model';
import type { Store } from '../storage/store.ts';

export interface Dependency {
  readonly parent: string;
  readonly child: string;
  readonly callCount: number;
}

const TABLE = qualifiedName(l7FlowLog);
const EDGES_MAX = 10_000;

/** Who calls whom, by exchanges that both ends were seen of, and by application spans. */
export async function readDependencies(
  store: Store,
  range: { readonly startUs: number; readonly endUs: number },
): Promise<readonly Dependency[]> {
  const { rows } = await store.query(
    `SELECT parent, child, sum(calls) AS calls FROM (
       SELECT anyIf(app_service, observation_point = 'c-p') AS parent,
         anyIf(app_service, observation_point = 's-p') AS child, 1 AS calls
       FROM ${TABLE}
       WHERE time >= toDateTime(intDiv({start:Int64}, 1000000))
         AND time <= toDateTime(intDiv({end:Int64}, 1000000)) AND wire_id != 0
       GROUP BY wire_id
     ) WHERE parent != '' AND child != ''
     GROUP BY parent, child ORDER BY calls DESC, parent, child LIMIT {most:UInt32}`,
    { params: { start: range.startUs, end: range.endUs, most: EDGES_MAX } },
  );
  return rows.map(([parent, child, calls]) => ({
    parent: String(parent),
    child: String(child),
    callCount: Number(calls),
  }));
}
