import type { TraceSearchQuery } from '@thalweg/model';
import { STATUS_CLIENT_ERROR, STATUS_SERVER_ERROR, STATUS_TIMEOUT } from '@thalweg/model';
import { apiError } from '../errors.ts';
import type { QueryOptions } from '../storage/store.ts';

type Params = NonNullable<QueryOptions['params']>;

/** Conditions on a row of l7_flow_log, with the values that they name. */
export interface RowFilter {
  readonly where: string;
  readonly params: Params;
}

export type FilterQuery = Omit<TraceSearchQuery, 'limit' | 'cursor'>;

/** Outcomes that count as errors. A timeout is one for whoever searches for trouble. */
export const ERROR_STATUSES = [STATUS_SERVER_ERROR, STATUS_CLIENT_ERROR, STATUS_TIMEOUT].join(', ');

/**
 * Rows that start from `start` until before `end`, microseconds. `time` is the end of the exchange: it
 * prunes partitions, `start_time` decides.
 */
export const STARTED_WITHIN: readonly string[] = [
  'time >= toDateTime(intDiv({start:Int64}, 1000000) - 1)',
  'start_time >= fromUnixTimestamp64Micro({start:Int64})',
  'start_time < fromUnixTimestamp64Micro({end:Int64})',
];

/**
 * The filters of a search as SQL over one row: all must hold for the same row. Values travel as
 * parameters. Throws `bad_time_range` and, for a status that is none, `bad_request`.
 */
export function rowFilter(query: FilterQuery): RowFilter {
  if (query.end < query.start) {
    throw apiError('bad_time_range', { start: query.start, end: query.end });
  }
  const params: Record<string, Params[string]> = { start: query.start, end: query.end };
  const all = [...STARTED_WITHIN];
  const oneOf = (column: string, name: string, values: readonly string[] | undefined): void => {
    if (values === undefined || values.length === 0) return;
    params[name] = values;
    all.push(`${column} IN {${name}:Array(String)}`);
  };
  oneOf('app_service', 'services', query.service);
  oneOf('request_type', 'methods', query.method);
  oneOf('endpoint', 'endpoints', query.endpoint === undefined ? undefined : [query.endpoint]);
  if (query.status !== undefined && query.status.length > 0) {
    all.push(`(${query.status.map(statusCondition).join(' OR ')})`);
  }
  if (query.min_duration_us !== undefined) {
    params['shortest'] = Math.floor(query.min_duration_us);
    all.push('response_duration >= {shortest:UInt64}');
  }
  if (query.max_duration_us !== undefined) {
    params['longest'] = Math.ceil(query.max_duration_us);
    all.push('response_duration <= {longest:UInt64}');
  }
  if (query.text !== undefined && query.text !== '') {
    params['text'] = query.text;
    all.push(`(positionCaseInsensitive(request_resource, {text:String}) > 0
      OR positionCaseInsensitive(request_domain, {text:String}) > 0
      OR trace_id = {text:String} OR x_request_id_0 = {text:String})`);
  }
  return { where: all.join(' AND '), params };
}

function statusCondition(status: string): string {
  if (status === 'error') return `response_status IN (${ERROR_STATUSES})`;
  const family = /^([1-5])xx$/.exec(status)?.[1];
  if (family !== undefined) return `intDiv(response_code, 100) = ${family}`;
  if (/^[1-5]\d\d$/.test(status)) return `response_code = ${status}`;
  throw apiError('bad_request', {
    reason: `status is "${status}", expected error, 4xx, 5xx or a code such as 404`,
  });
}
