// Values of `{name:Type}` placeholders as ClickHouse's HTTP interface spells them: text with
// backslash escapes; an array in brackets with quoted strings.

const ESCAPES: Readonly<Record<string, string>> = {
  t: '\t',
  n: '\n',
  r: '\r',
  b: '\b',
  f: '\f',
  0: '\0',
};

/** The text of a `param_…` value. Items are quoted when `type` is an array of strings. */
export function formatParam(
  value: string | number | readonly (string | number)[],
  type: string,
): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escaped(value);
  const isText = isTextArray(type);
  const items = value.map((item) =>
    isText ? `'${escaped(String(item)).replaceAll("'", "\\'")}'` : String(item),
  );
  return `[${items.join(',')}]`;
}

/** Back to values. Text that only looks like an array stays text: `type` decides. */
export function parseParam(text: string, type: string): string | string[] | (bigint | number)[] {
  if (!type.startsWith('Array(')) return unescaped(text);
  const items = [...text.matchAll(/'((?:[^'\\]|\\[\s\S])*)'|([^,[\]\s']+)/g)];
  const texts = items.map(([, quoted, bare]) =>
    quoted === undefined ? (bare ?? '') : unescaped(quoted),
  );
  if (isTextArray(type)) return texts;
  return texts.map((item) => (/^-?\d+$/.test(item) ? BigInt(item) : Number(item)));
}

function isTextArray(type: string): boolean {
  return /String|Date|UUID|Enum|IPv/.test(type);
}

/** Types of the placeholders in a statement, by name. */
export function placeholderTypes(sql: string): Map<string, string> {
  const found = sql.matchAll(/\{\s*(\w+)\s*:\s*([^{}]+?)\s*\}/g);
  return new Map([...found].map(([, name = '', type = '']) => [name, type]));
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n');
}

function unescaped(text: string): string {
  return text.replace(/\\([\s\S])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}
