import {
  LINK_SHOWN,
  l7FlowLog,
  qualifiedName,
  SIGNAL_SOURCE_PACKET,
  type TraceSearchAnswer,
  type TraceSearchQuery,
  type TraceSummary,
} from '@thalweg/model';
import { apiError } from '../errors.ts';
import type { Store } from '../storage/store.ts';
import { type Aliases, readAliases } from './aliases.ts';
import { ERROR_STATUSES, type RowFilter, rowFilter } from './filter.ts';
import { IN_INDEXED_INTERVALS, keyOf } from './trace-index.ts';

const TABLE = qualifiedName(l7FlowLog);
/** Roots that a trace has at most before it is shown more than once: hops of one request. */
const ROOTS_PER_TRACE = 4;

/** Where a page ended: the newest match that it did not show comes after this one. */
export interface Cursor {
  readonly startUs: number;
  readonly root: string;
}

interface Match extends Cursor {
  readonly final: string;
}

/**
 * Traces with a row that meets all filters, newest first. A page goes on where the last one ended
 * by (start, root), so rows that arrive meanwhile neither repeat nor hide a trace. A trace whose
 * rows were stored under several roots is shown at the newest of them only.
 */
export async function searchTraces(
  store: Store,
  query: TraceSearchQuery,
): Promise<Pick<TraceSearchAnswer, 'traces' | 'cursor'>> {
  const filter = rowFilter(query);
  const after = query.cursor === undefined ? undefined : parseCursor(query.cursor);
  const most = query.limit * ROOTS_PER_TRACE;
  const found = await findRoots(store, filter, after, most);
  const aliases = await readAliases(
    store,
    found.map(({ root }) => root),
  );
  const shown = await firstOfEach(store, filter, after, found, aliases);
  const page = shown.slice(0, query.limit);
  const summaries = await summarise(store, page, aliases);
  const isMore = shown.length > page.length || found.length === most;
  const last = shown.length > page.length ? page.at(-1) : found.at(-1);
  return {
    traces: page.flatMap(({ final }) => summaries.get(final) ?? []),
    ...(isMore && last !== undefined ? { cursor: `${last.startUs}-${last.root}` } : {}),
  };
}

/** Roots with a row that meets the filter, newest first, from behind `after`. */
export async function findRoots(
  store: Store,
  filter: RowFilter,
  after: Cursor | undefined,
  most: number,
): Promise<readonly Cursor[]> {
  const having =
    after === undefined ? '' : 'HAVING (first, root) < ({afterUs:Int64}, {afterRoot:UInt64})';
  const cursor = after === undefined ? {} : { afterUs: after.startUs, afterRoot: after.root };
  const { rows } = await store.query(
    `SELECT toString(root_hash AS root), toUnixTimestamp64Micro(min(start_time)) AS first
     FROM ${TABLE} WHERE ${filter.where} GROUP BY root ${having}
     ORDER BY first DESC, root DESC LIMIT {most:UInt32}`,
    { params: { ...filter.params, ...cursor, most } },
  );
  return rows.map(([root, first]) => ({ root: String(root), startUs: Number(first) }));
}

/** Keeps of each trace its newest match, unless an earlier page has shown it. */
async function firstOfEach(
  store: Store,
  filter: RowFilter,
  after: Cursor | undefined,
  found: readonly Cursor[],
  aliases: Aliases,
): Promise<readonly Match[]> {
  const isOwn = new Set(found.map(({ root }) => root));
  const siblings = found
    .flatMap(({ root }) => aliases.membersOf(root))
    .filter((r) => !isOwn.has(r));
  const seen = new Set<string>();
  if (after !== undefined && siblings.length > 0) {
    const { rows } = await store.query(
      `SELECT toString(root_hash AS root), toUnixTimestamp64Micro(min(start_time)) AS first
       FROM ${TABLE} WHERE ${filter.where} AND ${IN_INDEXED_INTERVALS}
         AND root_hash IN {siblings:Array(UInt64)}
       GROUP BY root HAVING (first, root) >= ({afterUs:Int64}, {afterRoot:UInt64})`,
      {
        params: {
          ...filter.params,
          siblings,
          keys: siblings.map(keyOf),
          afterUs: after.startUs,
          afterRoot: after.root,
        },
      },
    );
    for (const [root] of rows) seen.add(aliases.finalOf(String(root)));
  }
  const shown: Match[] = [];
  for (const match of found) {
    const final = aliases.finalOf(match.root);
    if (seen.has(final)) continue;
    seen.add(final);
    shown.push({ ...match, final });
  }
  return shown;
}

/** Of network interfaces: they repeat what processes saw. */
const IS_NETWORK = `signal_source = ${SIGNAL_SOURCE_PACKET}`;
/**
 * Of a trace's rows the least is its entry: the root's own, a process's before an interface's, a
 * span without parent, the client's before the server's.
 */
const ENTRY_ORDER = `(wire_id != joined, ${IS_NETWORK}, parent_span_id != '', observation_point, start_time)`;
/** Columns of the entry that are shown. */
const ENTRY = [
  '_id',
  'app_service',
  'request_type',
  'request_domain',
  'request_resource',
  'endpoint',
  'host',
];

async function summarise(
  store: Store,
  page: readonly Match[],
  aliases: Aliases,
): Promise<ReadonlyMap<string, TraceSummary>> {
  const summaries = new Map<string, TraceSummary>();
  if (page.length === 0) return summaries;
  const roots = page.flatMap(({ final }) => aliases.membersOf(final));
  const finals = roots.map((root) => aliases.finalOf(root));
  const entry = ENTRY.map((column) => `toString(argMin(${column}, at))`).join(', ');
  const { rows } = await store.query(
    `SELECT toString(transform(root_hash, {roots:Array(UInt64)}, {finals:Array(UInt64)}, root_hash) AS joined) AS final,
       toUnixTimestamp64Micro(min(start_time)) AS first, toUnixTimestamp64Micro(max(end_time)) AS last,
       argMin(response_code, ${ENTRY_ORDER} AS at), argMin(type, at),
       count(), countIf(${IS_NETWORK}),
       uniqExactIf(app_service, app_service != ''),
       greatest(1, uniqExactIf(wire_id, wire_id != 0)
         - uniqExactIf(wire_id, parent_wire_id != 0 AND link_probability >= ${LINK_SHOWN})),
       countIf(response_status IN (${ERROR_STATUSES})), ${entry}
     FROM ${TABLE} WHERE ${IN_INDEXED_INTERVALS} AND root_hash IN {roots:Array(UInt64)}
     GROUP BY final`,
    { params: { roots, finals, keys: roots.map(keyOf) } },
  );
  for (const row of rows) {
    const [
      final,
      first,
      last,
      status,
      type,
      spanCount,
      networkCount,
      serviceCount,
      rootCount,
      errors,
      ...texts
    ] = row.map(String);
    const [spanId, service, method, host, path, endpoint, hostName] = texts;
    summaries.set(final ?? '', {
      traceId: final ?? '',
      spanId: spanId ?? '',
      startUs: Number(first),
      durationUs: Number(last) - Number(first),
      service: service ?? '',
      method: method ?? '',
      host: host ?? '',
      path: path ?? '',
      endpoint: endpoint ?? '',
      status: Number(status),
      isAnswered: Number(type) === 2,
      isError: Number(errors) > 0,
      spanCount: Number(spanCount),
      networkSpanCount: Number(networkCount),
      serviceCount: Number(serviceCount),
      rootCount: Number(rootCount),
      hostName: hostName ?? '',
    });
  }
  return summaries;
}

function parseCursor(text: string): Cursor {
  const parts = /^(\d{1,17})-(\d{1,20})$/.exec(text);
  if (parts?.[1] === undefined || parts[2] === undefined) throw apiError('bad_cursor');
  return { startUs: Number(parts[1]), root: parts[2] };
}
