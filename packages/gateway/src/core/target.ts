/** The parts of a request target. Paths are decoded and normalised for matching only. */
export interface Target {
  readonly path: string;
  /** As it came, without query. */
  readonly rawPath: string;
  readonly query: string;
  /** Of a target in absolute form: it stands before the Host field (RFC 9112 §3.2.2). */
  readonly authority: string | undefined;
}

/** Undefined when the target is neither origin form, absolute form nor `*`, or decodes to nonsense. */
export function parseTarget(target: string, keepsEncodedSlash = false): Target | undefined {
  const isOrigin = target.startsWith('/');
  const absolute = isOrigin ? null : /^https?:\/\/([^/?#]*)([^#]*)/i.exec(target);
  const rest = absolute === null ? target : absolute[2] || '/';
  if (rest !== '*' && !isOrigin && absolute === null) return undefined;
  const at = rest.indexOf('?');
  const rawPath = (at < 0 ? rest : rest.slice(0, at)) || '/';
  const path = normalisePath(rawPath, keepsEncodedSlash);
  if (path === undefined) return undefined;
  return { path, rawPath, query: at < 0 ? '' : rest.slice(at + 1), authority: absolute?.[1] };
}

/**
 * Percent-decodes, merges slashes and resolves dot segments, as nginx does for `$uri`. Undefined for
 * a bad escape, a zero octet, or dots that leave the root. `%2F` may stay as it is.
 */
function normalisePath(raw: string, keepsEncodedSlash: boolean): string | undefined {
  if (!/[%]|\/\/|\/\./.test(raw)) return raw;
  const decoded = decode(keepsEncodedSlash ? raw.replace(/%(?=2f)/gi, '%25') : raw);
  if (decoded === undefined || decoded.includes('\0')) return undefined;
  const kept: string[] = [];
  const segments = decoded.replace(/\/+/g, '/').split('/').slice(1);
  for (const [at, segment] of segments.entries()) {
    const isLast = at === segments.length - 1;
    if (segment === '..') {
      if (kept.pop() === undefined) return undefined;
      if (isLast) kept.push('');
    } else if (segment === '.') {
      if (isLast) kept.push('');
    } else kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

function decode(raw: string): string | undefined {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    if (/%(?![0-9a-fA-F]{2})/.test(raw)) return undefined;
    // Well escaped, but not UTF-8: octets stay what they are.
    return raw.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}

/** Host without port, in lower case. */
export function hostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  return (end > 0 ? host.slice(0, end) : host).toLowerCase();
}
