/** Directives of Cache-Control by name in lower case; those without value are empty texts. */
export type Directives = ReadonlyMap<string, string>;

/** Source: RFC 9111 §5.2. */
export function readDirectives(value: string | undefined): Directives {
  const directives = new Map<string, string>();
  for (const part of (value ?? '').split(',')) {
    const [name = '', given = ''] = part.split('=', 2);
    const key = name.trim().toLowerCase();
    if (key !== '') directives.set(key, given.trim().replaceAll('"', ''));
  }
  return directives;
}

/** Seconds of a directive; undefined when it is not there or no number. */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const value = directives.get(name);
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}
