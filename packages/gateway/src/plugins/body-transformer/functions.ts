import { TemplateError } from './lua-tokens.ts';
import { type LuaValue, lengthOf, numberOf, textOf, typeName } from './lua-values.ts';

export type LuaFunction = (values: readonly LuaValue[]) => LuaValue;

/** Octets that one call may make. */
const TEXT_SIZE_MAX = 1 << 24;

/** What a template may call, by its name in Lua. */
export const FUNCTIONS: ReadonlyMap<string, LuaFunction> = new Map<string, LuaFunction>([
  ['_escape_json', ([value]) => JSON.stringify(value ?? null)],
  ['_escape_xml', ([value]) => escapeXml(value)],
  ['tostring', ([value]) => textOf(value)],
  ['tonumber', ([value]) => numberOf(value)],
  ['type', ([value]) => typeName(value)],
  ['string.upper', ([value]) => textOf(value).toUpperCase()],
  ['string.lower', ([value]) => textOf(value).toLowerCase()],
  ['string.len', ([value]) => lengthOf(textOf(value))],
  ['string.sub', ([value, from, to]) => part(textOf(value), from, to)],
  ['string.rep', ([value, count]) => repeated(textOf(value), numberOf(count) ?? 0)],
  ['string.gsub', ([value, what, by]) => replaced(textOf(value), textOf(what), textOf(by))],
  ['table.concat', ([list, separator]) => joined(list, separator)],
  ['math.floor', ([value]) => Math.floor(needNumber(value))],
  ['math.ceil', ([value]) => Math.ceil(needNumber(value))],
]);

/** The entities that lua-resty-template writes for `{{ }}`. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'/]/g, (one) => HTML[one] ?? one);
}

const HTML: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '/': '&#47;' },
};

function escapeXml(value: LuaValue): LuaValue {
  if (typeof value !== 'string') return value;
  return value.replace(/[&<>"']/g, (one) => (one === "'" ? '&apos;' : (HTML[one] ?? one)));
}

function needNumber(value: LuaValue): number {
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`a ${typeName(value)} value is no number`);
  return number;
}

/** Octets `from` to `to`, from 1, inclusive; negative ones count from the end. */
function part(text: string, from: LuaValue, to: LuaValue): string {
  const bytes = Buffer.from(text);
  const place = (given: number): number => (given < 0 ? bytes.length + given + 1 : given);
  const start = Math.max(1, place(numberOf(from) ?? 1));
  return bytes.subarray(start - 1, Math.max(0, place(numberOf(to) ?? -1))).toString();
}

function repeated(text: string, count: number): string {
  const size = text.length * Math.max(0, count);
  if (size > TEXT_SIZE_MAX) {
    throw new TemplateError(`${size} characters at once, the most is ${TEXT_SIZE_MAX}`);
  }
  return text.repeat(Math.max(0, Math.floor(count)));
}

/** Of Lua's patterns only plain text is understood, with `%` before a sign. */
function replaced(text: string, what: string, by: string): string {
  const plain = what.replace(/%(\W)/g, '\0$1');
  if (/(?<!\0)[\^$*+?.()[\]%-]/.test(plain)) {
    throw new TemplateError(`pattern "${what}": only plain text can be replaced`);
  }
  const wanted = plain.replaceAll('\0', '');
  return wanted === '' ? text : text.replaceAll(wanted, () => by.replaceAll('%%', '%'));
}

function joined(list: LuaValue, separator: LuaValue): string {
  if (!Array.isArray(list)) throw new TemplateError(`a ${typeName(list)} value is no list`);
  return list.map(textOf).join(separator === undefined ? '' : textOf(separator));
}
