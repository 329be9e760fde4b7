export type MatcherKind = '=' | '!=' | '=~' | '!~';

/** One condition on a label. A label that a sample does not have is the empty text. */
export interface LabelMatcher {
  readonly name: string;
  readonly kind: MatcherKind;
  readonly value: string;
}

const MATCHERS_MAX = 64;
const TEXT_LENGTH_MAX = 16_384;

/** Reads `{name="value", other=~"re"}`; without braces or empty it has no conditions. */
export function parseSelector(text: string): readonly LabelMatcher[] | string {
  if (text.length > TEXT_LENGTH_MAX) return `selector longer than ${TEXT_LENGTH_MAX}`;
  const trimmed = text.trim();
  if (trimmed === '') return [];
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return 'selector is not in braces';
  const inner = trimmed.slice(1, -1);
  const matchers: LabelMatcher[] = [];
  const one = /\s*([\w.]+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/y;
  while (one.lastIndex < inner.length) {
    if (inner.slice(one.lastIndex).trim() === '') break;
    const [, name = '', kind = '', value = ''] = one.exec(inner) ?? [];
    if (name === '') return 'selector is not name="value", name!="value", name=~"re" or name!~"re"';
    if (matchers.length === MATCHERS_MAX) return `more than ${MATCHERS_MAX} conditions`;
    const plain = value.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
    const isRegex = kind.endsWith('~');
    if (isRegex && !isRegExp(plain)) return `not a regular expression: ${plain.slice(0, 80)}`;
    matchers.push({ name, kind: kind as MatcherKind, value: plain }); // By the pattern above.
  }
  return matchers;
}

/** The store's RE2 judges finally; this catches what no engine takes. */
function isRegExp(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

/** `name:sample_type:sample_unit:period_type:period_unit`, as Pyroscope names a profile type. */
export interface ProfileType {
  readonly event: string;
  readonly unit: string;
}

/** Undefined when the text is no profile type. */
export function parseProfileType(id: string): ProfileType | undefined {
  const parts = id.split(':');
  const [, event = '', unit = ''] = parts;
  return parts.length === 5 && event !== '' ? { event, unit } : undefined;
}

export function profileTypeId({ event, unit }: ProfileType): string {
  return [event, event, unit, event, unit].join(':');
}
