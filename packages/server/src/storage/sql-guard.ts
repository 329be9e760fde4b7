// What a statement may not contain before it reaches the engine, whoever wrote it. `INTO OUTFILE`
// writes any file even in a read-only query, and several statements run in one call.

const FORBIDDEN = new Set(['OUTFILE', 'INFILE']);
const FORBIDDEN_IN_READS = new Set([...FORBIDDEN, 'SETTINGS']);

/** One token: a comment, a quoted thing, a word, or one other character. */
const TOKEN =
  /--[^\n]*|#[! ][^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`\\]|\\[\s\S]|``)*`|[A-Za-z_][A-Za-z0-9_]*|[\s\S]/g;

/**
 * Why the statement is refused, or undefined when it is not. A read may not carry SETTINGS: its
 * limits and its read-only mode are settings that are added behind it.
 */
export function refusalOf(sql: string, use: 'read' | 'write'): string | undefined {
  const forbidden = use === 'read' ? FORBIDDEN_IN_READS : FORBIDDEN;
  let isEnded = false;
  for (const [token] of sql.matchAll(TOKEN)) {
    if (/^\s+$|^--|^#[! ]|^\/\*/.test(token)) continue;
    if (isEnded) return 'several statements in one call: send them one by one';
    if (token === ';') isEnded = true;
    // A lone quote opens a literal without an end: what follows it cannot be judged.
    if (token === "'" || token === '"' || token === '`')
      return `unclosed ${token} in the statement`;
    if (token === '$') return 'a here-document ($…$) is not accepted: quote with \u0027';
    if (forbidden.has(token.toUpperCase())) return `${token} is not accepted in a statement`;
  }
  return undefined;
}

/** Without the trailing `;`, so that settings can follow it. */
export function withoutEnd(sql: string): string {
  return sql.replace(/\s*;\s*$/, '');
}
