import { type AnyTable, nearest, TABLES } from '@thalweg/model';
import { derivedOf, findTable, tableSql } from './catalogue.ts';
import { DELAY_AGGREGATES, FUNCTION_NAMES, FUNCTIONS } from './functions.ts';
import { periodOf } from './period.ts';
import type { Expression, Select } from './syntax.ts';
import { SqlError } from './tokens.ts';

export const ROWS_DEFAULT = 10_000;

export interface Generated {
  readonly sql: string;
  /** Names of the answer's columns, as the user wrote them. */
  readonly labels: readonly string[];
}

/** What a name can mean at one level of the statement. */
interface Scope {
  readonly table: AnyTable | undefined;
  readonly columns: ReadonlyMap<string, string>;
  readonly aliases: ReadonlyMap<string, string>;
  /** GROUP BY, HAVING and ORDER BY see the select list before the table. */
  readonly prefersAlias: boolean;
  /** Seconds that a group stands for. */
  readonly period: number | undefined;
}

/**
 * Writes ClickHouse's SQL from the tree. Every name in the result comes from the catalogue or is
 * made up here (`_q0c1`), every string is quoted here: no text of the user's is copied. Throws
 * `SqlError` for an unknown table, column or function.
 */
export function generateSql(select: Select, database: string | undefined): Generated {
  const { sql, labels } = writeSelect(select, database, 0);
  return { sql, labels };
}

interface Written extends Generated {
  readonly names: readonly string[];
}

function writeSelect(select: Select, database: string | undefined, depth: number): Written {
  const source = sourceOf(select, database, depth);
  const items = select.items.flatMap((item) =>
    item.value.kind === 'star'
      ? [...source.columns.keys()].map((name) => ({
          value: { kind: 'name', name, position: item.value.position } as const,
          alias: undefined,
          label: name,
        }))
      : [item],
  );
  const names = items.map((_, index) => `_q${depth}c${index}`);
  const aliases = new Map(
    items.flatMap(({ alias }, index) => (alias === undefined ? [] : [[alias, names[index] ?? '']])),
  );
  const period = periodOf(select);
  const scope: Scope = { ...source, aliases, prefersAlias: false, period };
  const late: Scope = { ...scope, prefersAlias: true };
  const list = items.map(({ value }, index) => {
    const text = writeExpression(value, { ...scope, aliases: new Map() });
    return `${depth === 0 ? shownAs(value, text, scope) : text} AS ${names[index]}`;
  });
  const clause = (word: string, parts: readonly string[]): string =>
    parts.length === 0 ? '' : ` ${word} ${parts.join(', ')}`;
  const one = (value: Expression | undefined, at: Scope): string[] =>
    value === undefined ? [] : [writeExpression(value, at)];
  const sql = [
    `SELECT ${select.isDistinct ? 'DISTINCT ' : ''}${list.join(', ')} FROM ${source.sql}`,
    whereOf(select, source.sql, scope),
    clause(
      'GROUP BY',
      select.groupBy.map((value) => writeExpression(value, late)),
    ),
    clause('HAVING', one(select.having, late)),
    clause(
      'ORDER BY',
      select.orderBy.map(
        ({ value, isDescending }) =>
          `${writeExpression(value, late)} ${isDescending ? 'DESC' : 'ASC'}`,
      ),
    ),
    depth === 0 || select.limit !== undefined ? ` LIMIT ${select.limit ?? ROWS_DEFAULT}` : '',
    select.offset === undefined ? '' : ` OFFSET ${select.offset}`,
  ].join('');
  return { sql, names, labels: items.map(({ label }) => label) };
}

/** The conditions; SLIMIT keeps the first series, which the same conditions find. */
function whereOf(select: Select, source: string, scope: Scope): string {
  const where = select.where === undefined ? '' : writeExpression(select.where, scope);
  const keys = select.groupBy
    .map((value) => itemOf(select, value))
    .filter((value) => !(value.kind === 'call' && value.name.toLowerCase() === 'time'))
    .map((value) => writeExpression(value, scope));
  const own = where === '' ? '' : ` WHERE ${where}`;
  if (select.seriesLimit === undefined || keys.length === 0) return own;
  const tuple = `tuple(${keys.join(', ')})`;
  const series = `SELECT ${tuple} FROM ${source}${own} GROUP BY ${keys.join(', ')}
    ORDER BY count() DESC, ${keys.join(', ')} LIMIT ${select.seriesLimit}`;
  return `${own === '' ? ' WHERE ' : `${own} AND `}${tuple} IN (${series})`;
}

/** What a name of GROUP BY stands for when an item has it as its alias. */
function itemOf(select: Select, value: Expression): Expression {
  if (value.kind !== 'name') return value;
  return select.items.find(({ alias }) => alias === value.name)?.value ?? value;
}

function sourceOf(
  select: Select,
  database: string | undefined,
  depth: number,
): { sql: string; table: AnyTable | undefined; columns: Map<string, string> } {
  const { source } = select;
  if (source.kind === 'select') {
    const inner = writeSelect(source.select, database, depth + 1);
    const columns = new Map(inner.labels.map((label, index) => [label, inner.names[index] ?? '']));
    return { sql: `(${inner.sql})`, table: undefined, columns };
  }
  const table = knownTable(source.name, source.position, database);
  const columns = new Map(Object.keys(table.columns).map((name) => [name, `\`${name}\``]));
  return { sql: tableSql(table), table, columns };
}

/** The declared table of that name; throws `SqlError` with a suggestion when there is none. */
export function knownTable(name: string, position: number, database: string | undefined): AnyTable {
  const table = findTable(name, database);
  if (table !== undefined) return table;
  const names = TABLES.map((known) => known.name);
  const where = database === undefined ? '' : ` in ${database}`;
  throw new SqlError(`no table ${name}${where}`, position, didYouMean(name, names));
}

/** Times leave as numbers since the epoch, like everywhere else in the API. */
function shownAs(value: Expression, text: string, scope: Scope): string {
  if (value.kind !== 'name') return text;
  const kind = scope.table?.columns[value.name]?.kind;
  if (kind === 'seconds') return `toUnixTimestamp(${text})`;
  return kind === 'micros' ? `toUnixTimestamp64Micro(${text})` : text;
}

function writeExpression(value: Expression, scope: Scope): string {
  const write = (inner: Expression): string => writeExpression(inner, scope);
  switch (value.kind) {
    case 'number':
      return writeNumber(value.text, value.position);
    case 'string':
      return quoteString(value.value);
    case 'name':
      return writeName(value.name, value.position, scope);
    case 'star':
      throw new SqlError('* stands alone in a select list', value.position, 'name the columns');
    case 'call':
      return writeCall(value, scope);
    case 'unary':
      return value.operator === 'NOT'
        ? `(NOT ${write(value.value)})`
        : `(-(${write(value.value)}))`;
    case 'binary':
      return `(${write(value.left)} ${value.operator} ${write(value.right)})`;
    case 'in': {
      const list = value.list.map(write).join(', ');
      return `(${write(value.value)} ${value.isNegated ? 'NOT IN' : 'IN'} (${list}))`;
    }
    case 'match': {
      const text = `toString(${write(value.value)})`;
      const test =
        value.how === 'LIKE'
          ? `(${text} LIKE ${quoteString(likePattern(value.pattern))})`
          : `match(${text}, ${quoteString(value.pattern)})`;
      return value.isNegated ? `(NOT ${test})` : test;
    }
  }
}

/** Integers keep their digits (ids exceed 2^53); the rest is written by JavaScript. */
function writeNumber(text: string, position: number): string {
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

function writeName(name: string, position: number, scope: Scope): string {
  const alias = scope.aliases.get(name);
  const derived = scope.table === undefined ? undefined : derivedOf(scope.table)[name];
  const column =
    scope.columns.get(name) ?? (derived === undefined ? undefined : `(${derived.sql})`);
  const found = scope.prefersAlias ? (alias ?? column) : (column ?? alias);
  if (found !== undefined) return found;
  const known = [...scope.columns.keys(), ...scope.aliases.keys()];
  throw new SqlError(`no column ${name}`, position, didYouMean(name, known));
}

type CallExpression = Extract<Expression, { kind: 'call' }>;

function writeCall(call: CallExpression, scope: Scope): string {
  const { args, position } = call;
  const name = call.name.toLowerCase();
  const [first] = args;
  if (name === 'enum') return writeEnum(first, position, scope);
  if (name === 'exist') return writeExist(first, position, scope);
  if (name === 'persecond') return writePerSecond(call, scope);
  const known = FUNCTIONS.get(name);
  if (known === undefined) {
    const fix = didYouMean(call.name, FUNCTION_NAMES);
    throw new SqlError(`no function ${call.name}`, position, fix);
  }
  if (args.length < known.least || args.length > known.most) {
    const wanted = known.least === known.most ? known.least : `${known.least} to ${known.most}`;
    const message = `${call.name} has ${args.length} arguments, it takes ${wanted}`;
    throw new SqlError(message, position, 'give it that many');
  }
  if (name === 'count') return known.write([]);
  const texts = args.map((arg, index) => {
    if (known.literals?.includes(index) !== true) return writeExpression(arg, scope);
    if (arg.kind === 'number') return writeNumber(arg.text, arg.position);
    const message = `argument ${index + 1} of ${call.name} is not a number`;
    throw new SqlError(message, arg.position, 'write the number itself');
  });
  const conditional = DELAY_AGGREGATES[name];
  const [text = ''] = texts;
  const isDelay = first?.kind === 'name' && first.name === 'response_duration';
  if (isDelay && conditional !== undefined) return `${conditional}(${text}, ${text} > 0)`;
  return known.write(texts);
}

/** Whether a tag has a value: text that is not empty, a number that is not 0. */
function writeExist(value: Expression | undefined, position: number, scope: Scope): string {
  if (value?.kind !== 'name') {
    throw new SqlError('exist takes a column', position, 'such as exist(trace_id)');
  }
  return `notEmpty(replaceRegexpOne(toString(${writeName(value.name, value.position, scope)}), '^(0|\\\\[\\\\])$', ''))`;
}

function writePerSecond({ args, position }: CallExpression, scope: Scope): string {
  const [value] = args;
  if (value === undefined || args.length > 1) {
    throw new SqlError('PerSecond takes one argument', position, 'such as PerSecond(Sum(request))');
  }
  if (scope.period === undefined) {
    const fix = 'group by time(time, n), or bound time from both sides in WHERE';
    throw new SqlError('PerSecond does not know how many seconds there are', position, fix);
  }
  return `(${writeExpression(value, scope)} / ${scope.period})`;
}

/** The name of a numbered value, or the number as text where it has none. */
function writeEnum(value: Expression | undefined, position: number, scope: Scope): string {
  const names = value?.kind === 'name' ? scope.table?.columns[value.name]?.names : undefined;
  if (value?.kind !== 'name' || names === undefined) {
    const known = Object.entries(scope.table?.columns ?? {})
      .filter(([, column]) => column.names !== undefined)
      .map(([name]) => name);
    const fix = `Enum takes one of: ${known.join(', ')}`;
    throw new SqlError('Enum takes a column whose values have names', position, fix);
  }
  const column = writeName(value.name, position, { ...scope, aliases: new Map() });
  const texts = Object.values(names).map(quoteString).join(', ');
  const numbers = Object.keys(names).join(', ');
  return `transform(toInt64(${column}), [${numbers}], [${texts}], toString(${column}))`;
}

/** `*` is any text, as in DeepFlow; `%` and `_` keep ClickHouse's meaning. */
function likePattern(pattern: string): string {
  return pattern.replaceAll('*', '%');
}

/** A string literal whatever the text holds. */
export function quoteString(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

function didYouMean(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined
    ? `there are: ${known.slice(0, 12).join(', ')}, …`
    : `did you mean ${near}?`;
}
