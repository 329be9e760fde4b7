import { TraceqlError } from '../traceql/tokens.ts';

/**
 * The search of Tempo's first API as TraceQL: `tags` in logfmt (`a=b c="d e"`) must all be on one
 * span, and the trace's duration is bounded. Throws `TraceqlError` where the tags are not logfmt.
 */
export function tagQuery(search: {
  readonly tags: string;
  readonly minDuration?: string | undefined;
  readonly maxDuration?: string | undefined;
}): string {
  const conditions = logfmt(search.tags).map(([name, value]) => condition(name, value));
  if (search.minDuration !== undefined) conditions.push(`traceDuration >= ${search.minDuration}`);
  if (search.maxDuration !== undefined) conditions.push(`traceDuration <= ${search.maxDuration}`);
  return `{ ${conditions.join(' && ')} }`;
}

function condition(name: string, value: string): string {
  if (name === 'name' || name === 'root.name') {
    return `${name === 'name' ? 'name' : 'rootName'} = ${JSON.stringify(value)}`;
  }
  if (name === 'root.service.name') return `rootServiceName = ${JSON.stringify(value)}`;
  if (name === 'status' || name === 'status.code') return `status = ${value}`;
  if (name === 'error') return value === 'true' ? 'status = error' : 'status != error';
  return `.${JSON.stringify(name)} = ${JSON.stringify(value)}`;
}

function logfmt(text: string): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  const pattern = /\s*([^\s=]+)=("(?:[^"\\]|\\.)*"|\S*)\s*/y;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const found = pattern.exec(text);
    if (found === null) throw new TraceqlError('tags are logfmt: a=b c="d e"', text, at);
    const value = found[2] ?? '';
    pairs.push([
      found[1] ?? '',
      value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value,
    ]);
  }
  return pairs;
}
