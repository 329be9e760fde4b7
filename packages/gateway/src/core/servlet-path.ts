/**
 * A decoded path without the parameters of its segments (`/a;v=1/b` is `/a/b`). Undefined for what
 * containers read in different ways: dots, or nothing, before a semicolon, but at the very end.
 * Source: Jakarta Servlet 6 §3.5.2.
 */
export function servletPath(path: string): string | undefined {
  if (!path.includes(';')) return path;
  const segments = path.split('/').slice(1);
  const names: string[] = [];
  for (const [at, segment] of segments.entries()) {
    const end = segment.indexOf(';');
    const name = end < 0 ? segment : segment.slice(0, end);
    const isLast = at === segments.length - 1;
    if (end >= 0 && (name === '.' || name === '..' || (name === '' && !isLast))) return undefined;
    names.push(name);
  }
  return `/${names.join('/')}`;
}
