import {
  L7_PROTOCOL,
  LINK_EVIDENCE,
  LINK_SHOWN,
  l7FlowLog,
  qualifiedName,
  SIGNAL_SOURCE_OTEL,
  SIGNAL_SOURCE_PACKET,
  type Span,
  STATUS_CLIENT_ERROR,
  STATUS_SERVER_ERROR,
  STATUS_TIMEOUT,
  type TraceAnswer,
} from '@thalweg/model';
import { apiError } from '../errors.ts';
import type { QueryOptions, Store } from '../storage/store.ts';
import { readAliases } from './aliases.ts';
import { assembleTree, type TreeNode, type TreeRow } from './assemble.ts';
import { type Clock, estimateClocks, isApart } from './clocks.ts';
import { RowReader } from './row-reader.ts';
import { type RowIds, type Sought, soughtOf } from './sought.ts';
import { IN_INDEXED_INTERVALS, IN_INTERVALS, keyOf, type Places, placesOf } from './trace-index.ts';

const TABLE = qualifiedName(l7FlowLog);
export const SPANS_MAX = 20_000;
const OF_ROOTS = 'AND root_hash IN {roots:Array(UInt64)}';
const AT_MOST = 'LIMIT {most:UInt32}';
/** Parents under other roots that one more hop looks for. */
const PARENTS_MAX = 200;
/** Columns that are not fields of their own: computed ones, and the attributes' lists. */
const NOT_FIELDS: ReadonlySet<string> = new Set([
  'start_us',
  'end_us',
  ...Object.keys(l7FlowLog.columns).filter((name) => name.startsWith('attribute_')),
]);
const ERRORS: readonly number[] = [STATUS_SERVER_ERROR, STATUS_CLIENT_ERROR, STATUS_TIMEOUT];

/** A row as the tree and the answer need it. */
interface SpanRow extends TreeRow, RowIds {
  readonly agent: string;
  /** What was taken off its times. */
  readonly clock: Clock | undefined;
  /** Values of the row, in the order of the reader's columns. */
  readonly cells: readonly unknown[];
  readonly reader: RowReader;
}

/**
 * The trace that an id belongs to: of a root, a wire id or a span id (decimal), or a trace id that
 * the traffic carried (hex). A look-up by key and one read of the trace's few intervals: no time.
 * Throws `bad_id` and `trace_not_found`.
 */
export async function readTrace(store: Store, id: string): Promise<TraceAnswer> {
  const sought = soughtOf(id);
  const { rows: found, isCut, mayBeJoined } = await readFound(store, sought.keys);
  // Of more rows than are read the one with the id may be missing: the others are of its root.
  const ofOthers = isCut ? found[0]?.root : undefined;
  // It may be a root that has aliases only.
  const root = rootOf(sought, found) ?? ofOthers ?? sought.root;
  if (root === undefined) throw apiError('trace_not_found', { id });
  const own = isCut ? await readRows(store, [root]) : found.filter((row) => row.root === root);
  // Most traces have one root, and the index says so.
  const aliases = await readAliases(store, isCut || mayBeJoined(root) ? [root] : []);
  const rows = await withShownLinks(store, aliases.membersOf(root), own);
  if (rows.length === 0) throw apiError('trace_not_found', { id });
  return answerOf(aliases.finalOf(root), rows);
}

/** The root of the row that the sought id names best; undefined when it names none. */
function rootOf(sought: Sought, rows: readonly SpanRow[]): string | undefined {
  let root: string | undefined;
  let best = 0;
  for (const row of rows) {
    const match = sought.matchOf(row);
    if (match <= best) continue;
    best = match;
    root = row.root;
  }
  return root;
}

/** Traces given by all their roots, in that order, with one look-up. Without weak links' parents. */
export async function readTraces(
  store: Store,
  groups: readonly { readonly final: string; readonly members: readonly string[] }[],
): Promise<readonly TraceAnswer[]> {
  if (groups.length === 0) return [];
  const finalOf = new Map(
    groups.flatMap(({ final, members }) => members.map((one) => [one, final])),
  );
  const byFinal = new Map<string, SpanRow[]>(groups.map(({ final }) => [final, []]));
  for (const row of await readRows(store, [...finalOf.keys()])) {
    byFinal.get(finalOf.get(row.root) ?? '')?.push(row);
  }
  return [...byFinal].flatMap(([final, rows]) =>
    rows.length === 0 ? [] : [answerOf(final, rows)],
  );
}

function answerOf(traceId: string, rows: readonly SpanRow[]): TraceAnswer {
  const isTruncated = rows.length > SPANS_MAX;
  const { nodes } = assembleTree(byOneClock(rows.slice(0, SPANS_MAX)));
  const spans = nodes.map(spanOf);
  return {
    traceId,
    startUs: spans.reduce((least, { startUs }) => Math.min(least, startUs), Infinity),
    endUs: spans.reduce((most, { endUs }) => Math.max(most, endUs), 0),
    spans,
    isTruncated,
    expectedWrongLinks: spans.reduce(
      (sum, { parentId, link }) => (parentId === null ? sum : sum + 1 - (link?.probability ?? 1)),
      0,
    ),
  };
}

/** The rows with the times of the first row's clock, as far as exchanges between hosts tell it. */
function byOneClock(rows: readonly SpanRow[]): readonly SpanRow[] {
  const [first, ...others] = assembleTree(rows).nodes;
  if (first === undefined || others.every(({ row }) => row.agent === first.row.agent)) return rows;
  const inOrder = [first, ...others].map(({ row }) => row);
  const clocks = estimateClocks(inOrder, first.row.agent);
  return rows.map((row) => {
    const clock = clocks.get(row.agent);
    if (clock === undefined || !isApart(clock)) return row;
    const offsetUs = Math.round(clock.offsetUs);
    return { ...row, startUs: row.startUs - offsetUs, endUs: row.endUs - offsetUs, clock };
  });
}

/**
 * Links that are shown but not solid do not unite traces at ingest: their parents may be under other
 * roots. One more hop reads these too, so that the link is drawn where it is asked for from below.
 */
async function withShownLinks(
  store: Store,
  roots: readonly string[],
  own: readonly SpanRow[],
): Promise<readonly SpanRow[]> {
  const rows = roots.length === 1 ? own : await readRows(store, roots);
  const known = new Set(rows.map(({ wireId }) => wireId));
  const missing = rows
    .filter((row) => row.linkProbability >= LINK_SHOWN && !known.has(row.parentWireId))
    .map(({ parentWireId }) => parentWireId)
    .slice(0, PARENTS_MAX);
  if (missing.length === 0) return rows;
  const { rows: found } = await store.query(
    `SELECT DISTINCT toString(root_hash) FROM ${TABLE}
     WHERE ${IN_INDEXED_INTERVALS} AND wire_id IN {missing:Array(UInt64)} LIMIT {most:UInt32}`,
    { params: { missing, keys: missing.map(keyOf), most: PARENTS_MAX } },
  );
  if (found.length === 0) return rows;
  const aliases = await readAliases(
    store,
    found.map(([root]) => String(root)),
  );
  const more = found.flatMap(([root]) => aliases.membersOf(String(root)));
  return readRows(store, [...new Set([...roots, ...more])]);
}

/** All rows of the roots, or the first ones of all, by start. */
function readRows(store: Store, roots: readonly string[]): Promise<readonly SpanRow[]> {
  const params = { roots, keys: roots.map(keyOf), most: SPANS_MAX + 1 };
  return queryRows(
    store,
    `${IN_INDEXED_INTERVALS} ${OF_ROOTS} ORDER BY start_time ${AT_MOST}`,
    params,
  );
}

interface Found {
  /** By start; `isCut`: any ones of more than are read. */
  readonly rows: readonly SpanRow[];
  readonly isCut: boolean;
  readonly mayBeJoined: Places['mayBeJoined'];
}

/**
 * Rows of all roots that the index has under the keys. Most lie where the sought one does: these are
 * read while the index is asked where else rows of the roots lie.
 */
async function readFound(store: Store, keys: readonly number[]): Promise<Found> {
  const named = await placesOf(store, keys);
  const { roots, intervals } = named;
  if (roots.length === 0) return { rows: [], isCut: false, mayBeJoined: named.mayBeJoined };
  const [near, all] = await Promise.all([
    readRowsIn(store, roots, intervals),
    placesOf(store, roots.map(keyOf)),
  ]);
  const elsewhere = all.intervals.filter((interval) => !intervals.includes(interval));
  const far = elsewhere.length === 0 ? [] : await readRowsIn(store, roots, elsewhere);
  const rows = [...near, ...far].sort((one, other) => one.startUs - other.startUs);
  return {
    rows,
    isCut: named.isCut || all.isCut || rows.length > SPANS_MAX,
    mayBeJoined: (root) => named.mayBeJoined(root) || all.mayBeJoined(root),
  };
}

/**
 * Rows of the roots in the intervals, in any order: the store would take 2 ms to order five of them,
 * and 5 to look up the intervals meanwhile. At most one more than `SPANS_MAX`.
 */
function readRowsIn(
  store: Store,
  roots: readonly string[],
  intervals: readonly number[],
): Promise<readonly SpanRow[]> {
  const params = { roots, intervals, most: SPANS_MAX + 1 };
  return queryRows(store, `${IN_INTERVALS} ${OF_ROOTS} ${AT_MOST}`, params);
}

async function queryRows(
  store: Store,
  which: string,
  params: NonNullable<QueryOptions['params']>,
): Promise<SpanRow[]> {
  // All columns by one sign: naming each takes the store longer than finding the rows does.
  const { rows, columns } = await store.query(
    `SELECT *, toUnixTimestamp64Micro(start_time) AS start_us,
       toUnixTimestamp64Micro(end_time) AS end_us
     FROM ${TABLE} PREWHERE ${which}`,
    { params, isByKey: true },
  );
  const reader = new RowReader(columns);
  return rows.map((cells) => treeRowOf(reader, cells));
}

function treeRowOf(reader: RowReader, cells: readonly unknown[]): SpanRow {
  const text = (name: string): string => reader.text(cells, name);
  const number = (name: string): number => reader.number(cells, name);
  const source = number('signal_source');
  const observationPoint = text('observation_point');
  return {
    root: text('root_hash'),
    spanId: text('_id'),
    wireId: text('wire_id'),
    parentWireId: text('parent_wire_id'),
    linkProbability: number('link_probability'),
    observationPoint,
    hostName: text('host'),
    agent: text('agent'),
    clock: undefined,
    pid: number(`process_id_${endOf(observationPoint)}`),
    startUs: number('start_us'),
    endUs: number('end_us'),
    protocol: number('l7_protocol'),
    traceId: text('trace_id'),
    isApp: source === SIGNAL_SOURCE_OTEL,
    interface:
      source === SIGNAL_SOURCE_PACKET
        ? { agent: text('agent'), name: `${text('netns')} ${text('capture_nic_name')}` }
        : undefined,
    namedSpanId: text('span_id'),
    namedParentId: text('parent_span_id'),
    isComplete: number('type') === 2,
    cells,
    reader,
  };
}

/** Which end was observed: the client's (0) or the server's (1). */
function endOf(observationPoint: string): 0 | 1 {
  return observationPoint.startsWith('s') ? 1 : 0;
}

function spanOf({ row, parent, link }: TreeNode<SpanRow>): Span {
  const text = (name: string): string => row.reader.text(row.cells, name);
  const number = (name: string): number => row.reader.number(row.cells, name);
  return {
    spanId: row.spanId,
    parentId: parent?.spanId ?? null,
    wireId: row.wireId,
    signal: signalOf(number('signal_source')),
    observationPoint: row.observationPoint,
    service: text('app_service'),
    processName: text(`process_kname_${endOf(row.observationPoint)}`),
    pid: row.pid,
    hostName: row.hostName,
    startUs: row.startUs,
    endUs: row.endUs,
    ...(row.clock === undefined ? {} : { clock: row.clock }),
    protocol: protocolOf(row.protocol),
    method: text('request_type'),
    host: text('request_domain'),
    path: text('request_resource'),
    endpoint: text('endpoint'),
    status: number('response_code'),
    isError: isErrorStatus(number('response_status')),
    isAnswered: row.isComplete,
    isLossy: number('is_lossy') === 1,
    link: linkOf(row, parent, link),
    fields: fieldsOf(row),
  };
}

export function isErrorStatus(status: number): boolean {
  return ERRORS.includes(status);
}

function linkOf(
  row: SpanRow,
  parent: SpanRow | null,
  link: TreeNode<SpanRow>['link'],
): Span['link'] {
  if (link?.kind === 'wire') return { probability: 1, evidence: ['wire'], candidates: [] };
  if (link?.kind === 'span-id') return { probability: 1, evidence: ['shared-id'], candidates: [] };
  const from = link?.from ?? row;
  const candidates = candidatesOf(from);
  if (link === null && candidates.length === 0) return null;
  if (link === null) return { probability: 0, evidence: [], candidates };
  const evidence = evidenceOf(from.reader.number(from.cells, 'link_evidence'));
  // Evidence names requests, never an SDK's span: into that it was put for its time.
  if (parent?.isApp === true) evidence.push('inside-span');
  return { probability: from.linkProbability, evidence, candidates };
}

function evidenceOf(bits: number): string[] {
  return Object.entries(LINK_EVIDENCE)
    .filter(([bit]) => (bits & Number(bit)) !== 0)
    .map(([, name]) => name);
}

function candidatesOf({ reader, cells }: SpanRow) {
  const probabilities = reader.list(cells, 'candidate_probabilities');
  return reader.list(cells, 'candidate_wire_ids').map((wireId, at) => ({
    wireId: String(wireId),
    probability: Number(probabilities[at] ?? 0),
  }));
}

/** By where a row comes from: the network, an application, a system call. */
export function signalOf(source: number): Span['signal'] {
  if (source === 0) return 'N';
  return source === 4 ? 'A' : 'S';
}

function protocolOf(number: number): string {
  const names: Readonly<Record<number, string>> = L7_PROTOCOL;
  return names[number] ?? String(number);
}

/** What the row says as text, its attributes one field each. */
function fieldsOf({ reader, cells }: SpanRow): Record<string, string> {
  const fields = reader.filled(cells, NOT_FIELDS);
  const values = reader.list(cells, 'attribute_values');
  reader.list(cells, 'attribute_names').forEach((name, at) => {
    fields[String(name)] = String(values[at] ?? '');
  });
  return fields;
}
