import { inProcessProfile } from '@thalweg/model';
import { apiError } from '../errors.ts';
import type { QueryOptions } from '../storage/store.ts';
import { type LabelMatcher, parseProfileType, parseSelector } from './selector.ts';

/** A condition on `profile.in_process` and the values of its placeholders. */
export interface ProfileFilter {
  readonly where: string;
  readonly params: NonNullable<QueryOptions['params']>;
}

export interface ProfileQuestion {
  /** Milliseconds since the epoch, both ends included. */
  readonly startMs: number;
  readonly endMs: number;
  /** All of them must hold. */
  readonly selectors?: readonly string[];
  /** A profile type's id; empty: every type. */
  readonly profileType?: string;
  /** Spans whose samples are wanted; absent or empty: all samples. */
  readonly spanIds?: readonly string[];
}

/** Labels that are columns; every other one is in `tag_names`. */
const COLUMNS: Readonly<Record<string, string>> = {
  service_name: 'app_service',
  service_instance_id: 'app_instance',
  language: 'profile_language_type',
  span_name: 'span_name',
};
export const COLUMN_LABELS: readonly string[] = Object.keys(COLUMNS);
const TYPE_LABEL = '__profile_type__';

/** Throws `bad_request` for a selector or profile type that is none. */
export function profileFilter(question: ProfileQuestion): ProfileFilter {
  const { startMs, endMs, selectors = [], profileType = '', spanIds = [] } = question;
  const params: Record<string, string | number | readonly string[]> = {
    startS: Math.floor(startMs / 1e3),
    endS: Math.ceil(endMs / 1e3),
  };
  const conditions = ['time >= {startS:UInt32}', 'time <= {endS:UInt32}'];
  const types = profileType === '' ? [] : [profileType];
  let count = 0;
  for (const selector of selectors) {
    const matchers = parseSelector(selector);
    if (typeof matchers === 'string') throw apiError('bad_request', { reason: matchers });
    for (const matcher of matchers) {
      count += 1;
      if (matcher.name === TYPE_LABEL && matcher.kind === '=') types.push(matcher.value);
      else conditions.push(condition(matcher, `v${count}`, params));
    }
  }
  for (const id of types) {
    const type = parseProfileType(id);
    if (type === undefined) {
      const reason = `${id.slice(0, 80)} is not name:type:unit:period_type:period_unit`;
      throw apiError('bad_request', { reason });
    }
    count += 1;
    params[`e${count}`] = type.event;
    params[`u${count}`] = type.unit;
    conditions.push(`profile_event_type = {e${count}:String}`);
    conditions.push(`profile_value_unit = {u${count}:String}`);
  }
  if (spanIds.length > 0) {
    params['spans'] = spanIds;
    conditions.push('profile_id IN {spans:Array(String)}');
  }
  return { where: conditions.join(' AND '), params };
}

/** The SQL of a label's value; its name goes into `params` where it is no column. */
export function labelSql(name: string, key: string, params: Record<string, unknown>): string {
  const column = Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined;
  if (column !== undefined) return column;
  params[`${key}n`] = name;
  return `tag_values[indexOf(tag_names, {${key}n:String})]`;
}

/** The same of a tag by the name that SQL has for it, which may be a column's: always a text. */
export function tagSql(name: string, key: string, params: Record<string, unknown>): string {
  const isColumn = Object.hasOwn(inProcessProfile.columns, name);
  return `toString(${isColumn ? name : labelSql(name, key, params)})`;
}

function condition(
  { name, kind, value }: LabelMatcher,
  key: string,
  params: Record<string, string | number | readonly string[]>,
): string {
  const label = labelSql(name, key, params);
  params[key] = kind.endsWith('~') ? `^(?:${value})$` : value;
  const isPlain = kind === '=' || kind === '!=';
  const test = isPlain ? `${label} = {${key}:String}` : `match(${label}, {${key}:String})`;
  return kind.startsWith('!') ? `NOT (${test})` : test;
}
