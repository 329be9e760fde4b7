const SLASH = 0x2f;
const DOT = 0x2e;
const QUESTION = 0x3f;
const HASH = 0x23;

/**
 * The low-cardinality route of a path: without its query, the first `keepSegments` segments.
 * Empty and `.` segments are skipped. Source: DeepFlow's public endpoint rule for HTTP.
 */
export function endpointOf(path: string, keepSegments = 2): string {
  const end = plainEnd(path, keepSegments);
  if (end > 0) return path.slice(0, end);
  const query = path.search(/[?#]/);
  const segments: string[] = [];
  for (const segment of (query < 0 ? path : path.slice(0, query)).split('/')) {
    if (segment === '' || segment === '.') continue;
    segments.push(segment);
    if (segments.length === keepSegments) break;
  }
  return `/${segments.join('/')}`;
}

/** Where the segments end that are kept, if the path begins with them just so; else 0. */
function plainEnd(path: string, keepSegments: number): number {
  if (path.charCodeAt(0) !== SLASH) return 0;
  let from = 1;
  let count = 0;
  for (let at = 1; at <= path.length; at += 1) {
    // NaN behind the end.
    const code = path.charCodeAt(at);
    const isEnd = at === path.length || code === QUESTION || code === HASH;
    if (!isEnd && code !== SLASH) continue;
    if (at === from || (at === from + 1 && path.charCodeAt(from) === DOT)) return 0;
    count += 1;
    if (isEnd || count === keepSegments) return at;
    from = at + 1;
  }
  return 0;
}
