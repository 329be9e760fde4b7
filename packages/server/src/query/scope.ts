import { type AnyTable, nearest } from '@thalweg/model';
import type { Precision } from '../flow/flow-tables.ts';
import { quotientSql } from '../flow/measures.ts';
import { measuresOf } from './catalogue.ts';
import type { Expression, Select } from './syntax.ts';
import { SqlError } from './tokens.ts';

/** What a name can mean at one level of the statement. */
export interface Scope {
  readonly table: AnyTable | undefined;
  readonly columns: ReadonlyMap<string, string>;
  readonly aliases: ReadonlyMap<string, string>;
  /** GROUP BY, HAVING and ORDER BY see the select list before the table. */
  readonly prefersAlias: boolean;
  /** Seconds of an interval of a flow table; else of a second. */
  readonly precision: Precision;
  /** Seconds that a group stands for. */
  readonly period: number | undefined;
  /** What the groups are told apart by. */
  readonly groups: Groups;
}

/** The expressions of GROUP BY: the one of `time(…)`, and the others. */
export interface Groups {
  readonly time: Expression | undefined;
  readonly keys: readonly Expression[];
}

export function writeName(name: string, position: number, scope: Scope): string {
  const alias = scope.aliases.get(name);
  const column = columnSql(name, scope);
  const found = scope.prefersAlias ? (alias ?? column) : (column ?? alias);
  if (found !== undefined) return found;
  const known = [...scope.columns.keys(), ...scope.aliases.keys()];
  const ends = endsOf(name, scope);
  const fix = ends === undefined ? didYouMean(name, known) : `name one end: ${ends.join(' or ')}`;
  throw new SqlError(`no column ${name}`, position, fix);
}

/** Of one row; a quotient of a row is NULL where its whole is 0. */
export function columnSql(name: string, scope: Scope): string | undefined {
  const { table, columns } = scope;
  const stored = columns.get(name);
  const measure = table === undefined ? undefined : measuresOf(table)[name];
  if (stored !== undefined || measure === undefined || table === undefined) return stored;
  if (measure.kind === 'counter') return `(${measure.sql})`;
  if (measure.kind === 'gauge') return undefined;
  const of = (part: string): string => columnSql(part, scope) ?? '0';
  return quotientSql(measure, of(measure.part), of(measure.whole));
}

/** A tag without its suffix: both of its columns, `_0` of the client and `_1` of the server. */
export function endsOf(name: string, scope: Scope): readonly [string, string] | undefined {
  if (scope.aliases.has(name) || columnSql(name, scope) !== undefined) return undefined;
  const ends = [`${name}_0`, `${name}_1`] as const;
  return ends.every((end) => scope.columns.has(end)) ? ends : undefined;
}

/** What a name of GROUP BY stands for when an item has it as its alias. */
export function itemOf(select: Select, value: Expression): Expression {
  if (value.kind !== 'name') return value;
  return select.items.find(({ alias }) => alias === value.name)?.value ?? value;
}

export function groupsOf(select: Select): Groups {
  const values = select.groupBy.map((value) => itemOf(select, value));
  const isTime = (value: Expression): boolean =>
    value.kind === 'call' && value.name.toLowerCase() === 'time';
  return { time: values.find(isTime), keys: values.filter((value) => !isTime(value)) };
}

/** A string literal whatever the text holds. */
export function quoteString(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

export function didYouMean(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined
    ? `there are: ${known.slice(0, 12).join(', ')}, …`
    : `did you mean ${near}?`;
}

/** Integers keep their digits (ids exceed 2^53); the rest is written by JavaScript. */
export function writeNumber(text: string, position: number): string {
  if (/^\d+$/.test(text) && BigInt(text) < 2n ** 64n) return text;
  const value = Number(text);
  if (/^\d+$/.test(text) || !Number.isFinite(value)) {
    throw new SqlError(
      `${text.slice(0, 40)} is out of range`,
      position,
      'whole numbers go up to 18446744073709551615, others up to about 1.8e308',
    );
  }
  return String(value);
}
