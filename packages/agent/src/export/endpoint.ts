/**
 * The low-cardinality route of a path: without its query, the first `keepSegments` segments.
 * Empty and `.` segments are skipped. Source: DeepFlow's public endpoint rule for HTTP.
 */
export function endpointOf(path: string, keepSegments = 2): string {
  const query = path.search(/[?#]/);
  const segments: string[] = [];
  for (const segment of (query < 0 ? path : path.slice(0, query)).split('/')) {
    if (segment === '' || segment === '.') continue;
    segments.push(segment);
    if (segments.length === keepSegments) break;
  }
  return `/${segments.join('/')}`;
}
