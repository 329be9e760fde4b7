import { parseTraceql } from '../traceql/parse.ts';
import type { TraceqlQuery } from '../traceql/syntax.ts';

/** What Jaeger's search form asks for; all must be true of one span. */
export interface JaegerSearch {
  readonly service: string;
  readonly operation: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Go durations such as `1.2s`. */
  readonly minDuration: string | undefined;
  readonly maxDuration: string | undefined;
}

/** The same question in TraceQL. Throws `TraceqlError` where a duration is none. */
export function jaegerQuery(search: JaegerSearch): TraceqlQuery {
  const { service, operation, tags, minDuration, maxDuration } = search;
  const conditions = [`resource.service.name = ${JSON.stringify(service)}`];
  if (operation !== undefined) conditions.push(`name = ${JSON.stringify(operation)}`);
  for (const [name, value] of Object.entries(tags)) conditions.push(tagCondition(name, value));
  if (minDuration !== undefined) conditions.push(`duration >= ${minDuration}`);
  if (maxDuration !== undefined) conditions.push(`duration <= ${maxDuration}`);
  return parseTraceql(`{ ${conditions.join(' && ')} }`);
}

const KINDS = ['internal', 'server', 'client', 'producer', 'consumer'];

function tagCondition(name: string, value: string): string {
  if (name === 'error') return value === 'false' ? 'status != error' : 'status = error';
  if (name === 'span.kind' && KINDS.includes(value)) return `kind = ${value}`;
  const attribute = `.${JSON.stringify(name)}`;
  return /^-?\d+(\.\d+)?$/.test(value)
    ? `(${attribute} = ${JSON.stringify(value)} || ${attribute} = ${value})`
    : `${attribute} = ${JSON.stringify(value)}`;
}
