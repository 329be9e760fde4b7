import { TemplateError } from './lua-tokens.ts';

/** `undefined` is nil; `null` is JSON's, which Lua takes for a value. Arrays count from 1. */
export type LuaValue = unknown;

export function isTrue(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

/** Text as Lua's `tostring` has it. */
export function textOf(value: LuaValue): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return 'nil';
  if (value === null) return 'userdata: NULL';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'object') throw new TemplateError('a table is no text');
  return String(value);
}

/** What a tag writes: nothing for nil and JSON's null. */
export function writtenText(value: LuaValue): string {
  return value === undefined || value === null ? '' : textOf(value);
}

/** `%.14g`, as Lua 5.1 writes numbers. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Number.isInteger(value) && Math.abs(value) < 1e14) return String(value);
  const exact = Number(value.toPrecision(14));
  const exponent = Math.floor(Math.log10(Math.abs(exact)));
  if (exponent >= -5 && exponent < 14) return String(exact);
  const [mantissa = '', power = ''] = exact.toExponential().split('e');
  const sign = power.startsWith('-') ? '-' : '+';
  return `${mantissa}e${sign}${power.replace(/^[+-]/, '').padStart(2, '0')}`;
}

/** A number, or a text that is one; undefined for all else. */
export function numberOf(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

/** A table whose members are made when they are asked for. */
export class LuaReader {
  readonly read: (name: string) => LuaValue;

  constructor(read: (name: string) => LuaValue) {
    this.read = read;
  }
}

export function isReadable(value: LuaValue): boolean {
  return typeof value === 'object' && value !== null;
}

/** Throws `TemplateError` of what has no members. */
export function memberOf(object: LuaValue, key: LuaValue): LuaValue {
  if (object instanceof LuaReader) return object.read(String(key));
  if (Array.isArray(object)) return typeof key === 'number' ? object[key - 1] : undefined;
  if (typeof object === 'object' && object !== null) {
    const name = typeof key === 'number' ? String(key) : key;
    if (typeof name !== 'string' || !Object.hasOwn(object, name)) return undefined;
    return (object as Readonly<Record<string, unknown>>)[name];
  }
  throw new TemplateError(`attempt to index a ${typeName(object)} value (${String(key)})`);
}

export function lengthOf(value: LuaValue): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object' && value !== null) return 0;
  throw new TemplateError(`attempt to get length of a ${typeName(value)} value`);
}

export function typeName(value: LuaValue): string {
  if (value === undefined) return 'nil';
  if (value === null) return 'userdata';
  return typeof value === 'object' ? 'table' : typeof value;
}
