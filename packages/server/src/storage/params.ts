// Values of `{name:Type}` placeholders: in the address, as ClickHouse's HTTP interface spells them
// (text with backslash escapes; an array in brackets with quoted strings), or in the statement.

type Value = string | number | readonly (string | number)[];

const ESCAPES: Readonly<Record<string, string>> = {
  t: '\t',
  n: '\n',
  r: '\r',
  b: '\b',
  f: '\f',
  0: '\0',
};
const PLACEHOLDER = String.raw`\{\s*(\w+)\s*:\s*([^{}]+?)\s*\}`;
/** What a placeholder is not looked for in, or one. */
const QUOTED_OR_PLACEHOLDER = new RegExp(
  String.raw`--[^\n]*|#[! ][^\n]*|\/\*[\s\S]*?\*\/|(['"\`])(?:\\[\s\S]|(?!\1)[^\\])*\1|${PLACEHOLDER}`,
  'g',
);

/** The text of a `param_…` value. Items are quoted when `type` is an array of strings. */
export function formatParam(value: Value, type: string): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escaped(value);
  const isText = /String|Date|UUID|Enum|IPv/.test(type);
  const items = value.map((item) =>
    isText ? `'${escaped(String(item)).replaceAll("'", "\\'")}'` : String(item),
  );
  return `[${items.join(',')}]`;
}

/** Back to values. Text that only looks like an array stays text: `type` decides. */
export function parseParam(text: string, type: string): string | string[] {
  if (!type.startsWith('Array(')) return unescaped(text);
  const items = [...text.matchAll(/'((?:[^'\\]|\\[\s\S])*)'|([^,[\]\s']+)/g)];
  return items.map(([, quoted, bare]) => (quoted === undefined ? (bare ?? '') : unescaped(quoted)));
}

/** Types of the placeholders in a statement, by name. */
export function placeholderTypes(sql: string): Map<string, string> {
  const found = sql.matchAll(new RegExp(PLACEHOLDER, 'g'));
  return new Map([...found].map(([, name = '', type = '']) => [name, type]));
}

/**
 * The statement with values for its placeholders, each a quoted text that the engine turns into the
 * type: it can't end its quotes. One without a value stays, and the engine says so.
 */
export function withValues(sql: string, params: Readonly<Record<string, Value>>): string {
  return sql.replace(
    QUOTED_OR_PLACEHOLDER,
    (token, _quote: string | undefined, name: string | undefined, type = '') => {
      const value = name === undefined ? undefined : params[name];
      if (value === undefined) return token;
      const text =
        typeof value === 'object'
          ? `[${value.map((item) => literalOf(String(item))).join(',')}]`
          : literalOf(String(value));
      return `_CAST(${text}, ${literalOf(type)})`;
    },
  );
}

function literalOf(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n');
}

function unescaped(text: string): string {
  return text.replace(/\\([\s\S])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}
