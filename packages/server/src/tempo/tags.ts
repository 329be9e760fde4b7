import { l7FlowLog, qualifiedName } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { INTRINSIC_TAGS } from '../traceql/names.ts';
import { parseTag, type TagName } from '../traceql/parse-tag.ts';
import { COLUMN_ATTRIBUTES, columnOf } from '../traceql/trace-view.ts';
import type { RowFilter } from '../traces/filter.ts';
import { narrowing } from './narrowing.ts';

// Names and values for completion. What is listed is what `{ }` can ask for.

const TABLE = qualifiedName(l7FlowLog);
const FREE_SCOPES = ['resource', 'span', 'event', 'link', 'instrumentation'] as const;
/** Of names and of values. */
export const NAMES_MAX = 1_000;

export interface TimeRange {
  readonly startUs: number;
  readonly endUs: number;
}

export interface TagScope {
  readonly name: (typeof FREE_SCOPES)[number] | 'intrinsic';
  readonly tags: readonly string[];
}

export interface TagValue {
  readonly type: 'string' | 'int' | 'float' | 'keyword';
  readonly value: string;
}

const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  status: ['error', 'ok', 'unset'],
  kind: ['client', 'consumer', 'internal', 'producer', 'server', 'unspecified'],
};

/** SQL of intrinsics that have values worth listing. */
const INTRINSIC_SQL: Readonly<Record<string, string>> = {
  name: "if(signal_source = 4 OR request_type = '', endpoint, concat(request_type, ' ', endpoint))",
  rootServiceName: 'app_service',
  rootName: "if(request_type = '', endpoint, concat(request_type, ' ', endpoint))",
  statusMessage: 'response_exception',
  eventName: ofEach('events', "JSONExtractString(one, 'name')"),
  linkTraceId: ofEach('links', "JSONExtractString(one, 'trace_id')"),
  linkSpanId: ofEach('links', "JSONExtractString(one, 'span_id')"),
  instrumentationName: "JSONExtractString(scope, 'name')",
  instrumentationVersion: "JSONExtractString(scope, 'version')",
};

function ofEach(column: 'events' | 'links', value: string): string {
  return `arrayJoin(arrayMap(one -> ${value}, JSONExtractArrayRaw(${column})))`;
}

/** A member as text: of a text what it says, else its JSON. */
function memberSql(json: string, path: string): string {
  return `if(JSONType(${json}, ${path}) = 'String',
    JSONExtractString(${json}, ${path}), JSONExtractRaw(${json}, ${path}))`;
}

function keysOfEach(column: 'events' | 'links'): string {
  const keys = "arrayMap(one -> JSONExtractKeys(one, 'attributes'), JSONExtractArrayRaw";
  return `arrayFlatten(${keys}(${column})))`;
}

/** Names that free attributes have, and those that are always there; `query` narrows the first. */
export async function readTags(
  store: Store,
  options: TimeRange & { readonly query: string | undefined; readonly limit: number },
): Promise<readonly TagScope[]> {
  const narrowed = narrowing(options.query);
  const { rows } = await store.query(
    `SELECT DISTINCT arrayJoin(arrayConcat(
         arrayMap(name -> ('span', name), attribute_names),
         arrayMap(name -> ('resource', name), JSONExtractKeys(resource_attributes)),
         arrayMap(name -> ('instrumentation', name), JSONExtractKeys(scope, 'attributes')),
         arrayMap(name -> ('event', name), ${keysOfEach('events')}),
         arrayMap(name -> ('link', name), ${keysOfEach('links')}))) AS tag
     FROM ${TABLE} WHERE ${inRange()} AND ${narrowed.where} ORDER BY tag LIMIT {most:UInt32}`,
    { params: { ...narrowed.params, ...rangeParams(options), most: NAMES_MAX } },
  );
  const free = (scope: string): string[] =>
    rows.flatMap(([tag]) => (Array.isArray(tag) && tag[0] === scope ? [String(tag[1])] : []));
  const columns: Partial<Record<string, readonly string[]>> = COLUMN_ATTRIBUTES;
  const scopes: TagScope[] = FREE_SCOPES.map((name) => ({
    name,
    tags: distinct(columns[name] ?? [], free(name)).slice(0, options.limit),
  }));
  scopes.push({ name: 'intrinsic', tags: INTRINSIC_TAGS });
  return scopes.filter(({ tags }) => tags.length > 0);
}

/** Values of a tag, the most frequent first; `query` narrows them. */
export async function readTagValues(
  store: Store,
  tag: string,
  options: TimeRange & { readonly query: string | undefined; readonly limit: number },
): Promise<readonly TagValue[]> {
  const name = parseTag(tag);
  if (name.kind === 'intrinsic') {
    const keywords = KEYWORDS[name.intrinsic];
    if (keywords !== undefined) return keywords.map((value) => ({ type: 'keyword', value }));
  }
  const value = valueSql(name);
  if (value === undefined) return [];
  const narrowed = narrowing(options.query);
  const { rows } = await store.query(
    `SELECT toString(${value.sql}) AS value, count() AS n FROM ${TABLE}
     WHERE ${inRange()} AND ${narrowed.where} GROUP BY value HAVING value NOT IN ('', '0')
     ORDER BY n DESC, value LIMIT {most:UInt32}`,
    {
      params: {
        ...narrowed.params,
        ...rangeParams(options),
        ...value.params,
        most: Math.min(options.limit, NAMES_MAX),
      },
    },
  );
  return rows.map(([text]) => ({ type: value.type, value: String(text) }));
}

function valueSql(
  name: TagName,
): { sql: string; params: RowFilter['params']; type: TagValue['type'] } | undefined {
  if (name.kind === 'intrinsic') {
    const sql = INTRINSIC_SQL[name.intrinsic];
    return sql === undefined ? undefined : { sql, params: {}, type: 'string' };
  }
  const column = columnOf(name.scope, name.name);
  if (column !== undefined) {
    const isNumber = ['response_code', 'client_port', 'server_port'].includes(column);
    return { sql: column, params: {}, type: isNumber ? 'int' : 'string' };
  }
  const own = 'attribute_values[indexOf(attribute_names, {tag:String})]';
  const resource = memberSql('resource_attributes', '{tag:String}');
  const inPart = memberSql('one', "'attributes', {tag:String}");
  const byScope: Readonly<Record<string, string>> = {
    span: own,
    resource,
    event: ofEach('events', inPart),
    link: ofEach('links', inPart),
    instrumentation: memberSql('scope', "'attributes', {tag:String}"),
    any: `if(${own} != '', ${own}, ${resource})`,
  };
  const sql = byScope[name.scope];
  return sql === undefined ? undefined : { sql, params: { tag: name.name }, type: 'string' };
}

function distinct(...lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())].sort();
}

const inRange = (): string =>
  `time >= toDateTime(intDiv({start:Int64}, 1000000) - 1)
   AND time <= toDateTime(intDiv({end:Int64}, 1000000) + 1)`;

function rangeParams({ startUs, endUs }: TimeRange): RowFilter['params'] {
  return { start: startUs, end: endUs };
}
