/** A piece of Lua source. `text` of a string is what it stands for, without quotes. */
export interface LuaToken {
  readonly kind: 'name' | 'word' | 'number' | 'string' | 'sign' | 'output' | 'end';
  readonly text: string;
  /** Of `output`: whether what is written is escaped for HTML. */
  readonly isEscaped?: boolean;
}

/** A template or an expression in it that cannot be used. */
export class TemplateError extends Error {}

const WORDS: ReadonlySet<string> = new Set([
  ...['and', 'or', 'not', 'nil', 'true', 'false', 'if', 'then', 'elseif', 'else', 'end'],
  ...[
    'for',
    'in',
    'do',
    'local',
    'function',
    'while',
    'repeat',
    'until',
    'return',
    'break',
    'goto',
  ],
]);

const TOKEN =
  /\s+|--[^\n]*|([A-Za-z_]\w*)|(0[xX][\da-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|("(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')|\[\[([\s\S]*?)\]\]|(\.\.|==|~=|<=|>=|[-+*/%^#<>=(){}[\],;:.])/y;

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\n': '\n' },
};

/** Throws `TemplateError` where `source` is no Lua. Source: Lua 5.1 manual §2.1. */
export function luaTokens(source: string): LuaToken[] {
  const tokens: LuaToken[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(source);
    if (found === null) throw new TemplateError(`unexpected "${source.slice(at, at + 10)}"`);
    const [, name, number, quoted, long, sign] = found;
    if (name !== undefined) tokens.push({ kind: WORDS.has(name) ? 'word' : 'name', text: name });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (quoted !== undefined) tokens.push({ kind: 'string', text: unquoted(quoted) });
    else if (long !== undefined) tokens.push({ kind: 'string', text: long });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
  }
  return tokens;
}

function unquoted(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(\d{1,3}|[\s\S])/g, (_, escaped: string) =>
      /^\d/.test(escaped) ? String.fromCharCode(Number(escaped)) : (ESCAPES[escaped] ?? escaped),
    );
}
