import type { Span } from './api.ts';

/** What was asked for: method and route. Names that are the method, or begin with it, say it once. */
export function titleOf({
  method,
  endpoint,
  path,
}: Pick<Span, 'method' | 'endpoint' | 'path'>): string {
  const name = endpoint === '' || endpoint === method ? path : endpoint;
  return method === '' || name.startsWith(`${method} `) ? name : `${method} ${name}`;
}
