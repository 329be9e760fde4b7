/** How a route's `uri` is looked up, and the test that the look-up leaves open. */
export interface RoutePattern {
  readonly text: string;
  readonly kind: 'exact' | 'prefix';
  /** The whole path, or what it begins with. */
  readonly key: string;
  /** Undefined when `key` decides alone. */
  readonly rest: RegExp | undefined;
  readonly parameters: readonly string[];
}

/** `:id` is one segment only in parameter mode; elsewhere a colon is a colon. */
export function parseRoutePattern(text: string, hasParameters: boolean): RoutePattern {
  const cut = text.search(hasParameters ? /[*:]/ : /\*/);
  if (cut < 0) return { text, kind: 'exact', key: text, rest: undefined, parameters: [] };
  const key = text.slice(0, cut);
  const isPlainTail = text[cut] === '*' && cut === text.length - 1;
  if (isPlainTail) return { text, kind: 'prefix', key, rest: undefined, parameters: [] };
  const parameters: string[] = [];
  const source = text
    .split('/')
    .map((segment) => segmentSource(segment, hasParameters, parameters));
  return { text, kind: 'prefix', key, rest: new RegExp(`^${source.join('/')}$`, 's'), parameters };
}

/** A segment that begins with `*` takes anything, slashes too; a star elsewhere ends at a slash. */
function segmentSource(segment: string, hasParameters: boolean, parameters: string[]): string {
  const star = segment.indexOf('*');
  if (hasParameters && segment.startsWith(':')) {
    parameters.push(segment.slice(1));
    return '([^/]+)';
  }
  if (star === 0) {
    if (hasParameters && segment.length > 1) {
      parameters.push(segment.slice(1));
      return '(.*)';
    }
    if (hasParameters) parameters.push(':ext');
    return hasParameters ? '(.*)' : '.*';
  }
  if (star < 0) return escaped(segment);
  return segment.split('*').map(escaped).join('[^/]*');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
