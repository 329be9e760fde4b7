import { l7FlowLog, qualifiedName } from '@thalweg/model';
import type { Store } from '../storage/store.ts';
import { INTRINSIC_TAGS } from '../traceql/names.ts';
import { necessaryCondition } from '../traceql/necessary.ts';
import { parseTraceql } from '../traceql/parse.ts';
import { parseTag, type TagName } from '../traceql/parse-tag.ts';
import { COLUMN_ATTRIBUTES, columnOf } from '../traceql/trace-view.ts';
import type { RowFilter } from '../traces/filter.ts';

// Names and values for completion. What is listed is what `{ }` can ask for.

const TABLE = qualifiedName(l7FlowLog);
const NAMES_MAX = 1_000;
export const VALUES_MAX = 1_000;

export interface TimeRange {
  readonly startUs: number;
  readonly endUs: number;
}

export interface TagScope {
  readonly name: 'resource' | 'span' | 'intrinsic';
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
};

export async function readTags(store: Store, range: TimeRange): Promise<readonly TagScope[]> {
  const { rows } = await store.query(
    `SELECT DISTINCT arrayJoin(arrayConcat(
         arrayMap(name -> ('span', name), attribute_names),
         arrayMap(name -> ('resource', name), JSONExtractKeys(resource_attributes)))) AS tag
     FROM ${TABLE} WHERE ${inRange()} ORDER BY tag LIMIT {most:UInt32}`,
    { params: { ...rangeParams(range), most: NAMES_MAX } },
  );
  const free = (scope: string): string[] =>
    rows.flatMap(([tag]) => (Array.isArray(tag) && tag[0] === scope ? [String(tag[1])] : []));
  return [
    { name: 'resource', tags: distinct(COLUMN_ATTRIBUTES.resource, free('resource')) },
    { name: 'span', tags: distinct(COLUMN_ATTRIBUTES.span, free('span')) },
    { name: 'intrinsic', tags: INTRINSIC_TAGS },
  ];
}

/** Values of a tag, the most frequent first; `query` narrows them. Throws `TraceqlError`. */
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
  const narrowed: RowFilter =
    options.query === undefined || options.query.trim() === ''
      ? { where: '1', params: {} }
      : necessaryCondition(parseTraceql(options.query));
  const { rows } = await store.query(
    `SELECT toString(${value.sql}) AS value, count() AS n FROM ${TABLE}
     WHERE ${inRange()} AND ${narrowed.where} GROUP BY value HAVING value NOT IN ('', '0')
     ORDER BY n DESC, value LIMIT {most:UInt32}`,
    {
      params: {
        ...narrowed.params,
        ...rangeParams(options),
        ...value.params,
        most: Math.min(options.limit, VALUES_MAX),
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
  const resource = `if(JSONType(resource_attributes, {tag:String}) = 'String',
      JSONExtractString(resource_attributes, {tag:String}),
      JSONExtractRaw(resource_attributes, {tag:String}))`;
  const bySql = { span: own, resource, any: `if(${own} != '', ${own}, ${resource})` } as const;
  const isKnown = name.scope === 'span' || name.scope === 'resource';
  return { sql: bySql[isKnown ? name.scope : 'any'], params: { tag: name.name }, type: 'string' };
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
