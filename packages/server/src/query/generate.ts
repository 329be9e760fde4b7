import { type AnyTable, qualifiedName } from '@thalweg/model';
import type { Precision } from '../flow/flow-tables.ts';
import { findTable, SQL_TABLES } from './catalogue.ts';
import { flowSelect, splitPrecision } from './flow-sql.ts';
import { boundsOf, periodOf } from './period.ts';
import { didYouMean, groupsOf, type Scope } from './scope.ts';
import type { Expression, Select, SelectItem } from './syntax.ts';
import { fillSql, readTimeCall } from './time-call.ts';
import { SqlError } from './tokens.ts';
import { writeExpression } from './write-expression.ts';

export const ROWS_DEFAULT = 10_000;

export interface Generated {
  readonly sql: string;
  /** Names of the answer's columns, as the user wrote them. */
  readonly labels: readonly string[];
}

/** What stands outside of the statement. */
export interface Where {
  readonly database: string | undefined;
  /** Of flow tables whose name has none. */
  readonly precision: Precision;
}

/**
 * Writes ClickHouse's SQL from the tree. Every name in the result comes from the catalogue or is
 * made up here (`_q0c1`), every string is quoted here: no text of the user's is copied. Throws
 * `SqlError` for an unknown table, column or function.
 */
export function generateSql(select: Select, where: Where): Generated {
  const { sql, labels } = writeSelect(select, where, 0);
  return { sql, labels };
}

interface Written extends Generated {
  readonly names: readonly string[];
}

function writeSelect(select: Select, where: Where, depth: number): Written {
  const source = sourceOf(select, where, depth);
  const items = itemsOf(select, source.columns);
  const names = items.map((_, index) => `_q${depth}c${index}`);
  const aliases = new Map(
    items.flatMap(({ alias }, index) => (alias === undefined ? [] : [[alias, names[index] ?? '']])),
  );
  const surroundings = { period: periodOf(select), groups: groupsOf(select) };
  const scope: Scope = { ...source, aliases, prefersAlias: false, ...surroundings };
  const late: Scope = { ...scope, prefersAlias: true };
  const list = items.map(({ value }, index) => {
    const text = writeExpression(value, { ...scope, aliases: new Map() });
    return `${depth === 0 ? shownAs(value, text, scope) : text} AS ${names[index]}`;
  });
  const order = select.orderBy.map(
    ({ value, isDescending }) => `${writeExpression(value, late)} ${isDescending ? 'DESC' : 'ASC'}`,
  );
  const groups = select.groupBy.map((value) => writeExpression(value, late));
  const having = select.having === undefined ? [] : [writeExpression(select.having, late)];
  const core = [
    `${list.join(', ')} FROM ${source.sql}`,
    whereOf(select, source.sql, scope),
    clause('GROUP BY', groups),
    clause('HAVING', having),
  ].join('');
  const filled = filledOf(select, items, names, core);
  const body =
    filled ?? `${select.isDistinct ? 'DISTINCT ' : ''}${core}${clause('ORDER BY', order)}`;
  const sql = [
    `SELECT ${body}`,
    depth === 0 || select.limit !== undefined ? ` LIMIT ${select.limit ?? ROWS_DEFAULT}` : '',
    select.offset === undefined ? '' : ` OFFSET ${select.offset}`,
  ].join('');
  return { sql, names, labels: items.map(({ label }) => label) };
}

const clause = (word: string, parts: readonly string[]): string =>
  parts.length === 0 ? '' : ` ${word} ${parts.join(', ')}`;

function itemsOf(select: Select, columns: ReadonlyMap<string, string>): readonly SelectItem[] {
  return select.items.flatMap((item) =>
    item.value.kind === 'star'
      ? [...columns.keys()].map((name) => ({
          value: { kind: 'name', name, position: item.value.position } as const,
          alias: undefined,
          label: name,
        }))
      : [item],
  );
}

/**
 * The body of a SELECT over the answer with the intervals that have no rows: each series, which is
 * the items before time in the order, is filled by itself. Undefined: nothing is to be filled.
 */
function filledOf(
  select: Select,
  items: readonly SelectItem[],
  names: readonly string[],
  core: string,
): string | undefined {
  const call = groupsOf(select).time;
  const time = call?.kind === 'call' ? readTimeCall(call) : undefined;
  if (call === undefined || time === undefined || time.fill === 'none') return undefined;
  const at = items.findIndex(({ value }) => value === call);
  if (at < 0) {
    throw new SqlError(
      'fill needs time(…) among the columns',
      call.position,
      'such as time(…) AS t',
    );
  }
  const isKey = items.map((item) => select.groupBy.some((key) => isItem(key, item)));
  const keys = names.filter((_, index) => isKey[index] && index !== at);
  const shown = names.map((name, index) =>
    isKey[index] || time.fill === 'zero' ? name : `toNullable(${name}) AS ${name}`,
  );
  const order = [...keys.map((name) => `${name} ASC`), `${names[at]} ASC`].join(', ');
  const fill = fillSql(time, boundsOf(select), call.position);
  const inner = `SELECT ${shown.join(', ')} FROM (SELECT ${core}) ORDER BY ${order} ${fill}`;
  const outer = select.orderBy.map(({ value, isDescending }) => {
    const index = items.findIndex((item) => isItem(value, item));
    if (index >= 0) return `${names[index]} ${isDescending ? 'DESC' : 'ASC'}`;
    const fix = 'give it a name with AS, and order by that';
    throw new SqlError('with fill, ORDER BY names columns of the answer', value.position, fix);
  });
  return `${names.join(', ')} FROM (${inner})${clause('ORDER BY', outer)}`;
}

/** Whether an expression stands for an item of the select list. */
function isItem(key: Expression, { value, alias }: SelectItem): boolean {
  if (key.kind !== 'name') return key === value;
  return key.name === alias || (value.kind === 'name' && value.name === key.name);
}

/** The conditions; SLIMIT keeps the first series, which the same conditions find. */
function whereOf(select: Select, source: string, scope: Scope): string {
  const where = select.where === undefined ? '' : writeExpression(select.where, scope);
  const keys = scope.groups.keys.map((value) => writeExpression(value, scope));
  const own = where === '' ? '' : ` WHERE ${where}`;
  if (select.seriesLimit === undefined || keys.length === 0) return own;
  const tuple = `tuple(${keys.join(', ')})`;
  const series = `SELECT ${tuple} FROM ${source}${own} GROUP BY ${keys.join(', ')}
    ORDER BY count() DESC, ${keys.join(', ')} LIMIT ${select.seriesLimit}`;
  return `${own === '' ? ' WHERE ' : `${own} AND `}${tuple} IN (${series})`;
}

interface Source extends Pick<Scope, 'table' | 'columns' | 'precision'> {
  readonly sql: string;
}

function sourceOf(select: Select, where: Where, depth: number): Source {
  const { source } = select;
  const { precision } = where;
  if (source.kind === 'select') {
    const inner = writeSelect(source.select, where, depth + 1);
    const columns = new Map(inner.labels.map((label, index) => [label, inner.names[index] ?? '']));
    return { sql: `(${inner.sql})`, table: undefined, columns, precision: '1s' };
  }
  const table = knownTable(source.name, source.position, where.database);
  const columns = new Map(Object.keys(table.columns).map((name) => [name, `\`${name}\``]));
  const named = splitPrecision(source.name).precision ?? precision;
  const flow = flowSelect(table, named, boundsOf(select));
  if (flow !== undefined) return { sql: flow, table, columns, precision: named };
  return { sql: qualifiedName(table), table, columns, precision: '1s' };
}

/** The declared table of that name; throws `SqlError` with a suggestion when there is none. */
export function knownTable(name: string, position: number, database: string | undefined): AnyTable {
  const table = findTable(name, database);
  if (table !== undefined) return table;
  const names = SQL_TABLES.map((known) => known.name);
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
