import { type AnyTable, l7FlowLog } from '@thalweg/model';
import { RE2JS } from 're2js';
import { findTable, SQL_TABLES } from './catalogue.ts';
import { FLOW_SQL_TABLES } from './flow-sql.ts';
import { knownTable } from './generate.ts';
import type { Listing } from './show.ts';
import type { Expression, Select, Statement } from './syntax.ts';
import { SqlError } from './tokens.ts';

type ValuesStatement = Extract<Statement, { kind: 'values' }>;

const COLUMNS = ['value', 'display_name', 'uid'] as const;
const VALUES_DEFAULT = 10_000;

/** The numbers that have names, as `show enum x values` lists them. */
export function enumValues(statement: ValuesStatement, database: string | undefined): Listing {
  const { tag, where } = statement;
  const column = columnOf(tableOf(statement, database), tag.name);
  const names = tableOf(statement, database).columns[column]?.names;
  if (names === undefined) {
    throw new SqlError(`${tag.name} has no named values`, tag.position, 'see show tags');
  }
  const values = Object.entries(names)
    .map(([value, name]) => ({ value: Number(value), display_name: name, uid: '' }))
    .filter((row) => where === undefined || isMet(where, row))
    .map(({ value, display_name, uid }) => [value, display_name, uid]);
  return {
    columns: COLUMNS,
    values: values.slice(statement.offset ?? 0).slice(0, limitOf(statement)),
  };
}

/** The statement that finds a tag's values in rows, the most frequent first. */
export function valuesSelect(statement: ValuesStatement, database: string | undefined): Select {
  const { tag, where, offset } = statement;
  const asked = tableOf(statement, database);
  // Rows of a flow table are made of the log's: where the log has the tag, it is read there.
  const isInLog =
    FLOW_SQL_TABLES.includes(asked) && columnOf(l7FlowLog, tag.name) in l7FlowLog.columns;
  const table: AnyTable = isInLog ? l7FlowLog : asked;
  const { position } = tag;
  const name = columnOf(table, tag.name);
  const value: Expression = { kind: 'name', name, position };
  const asText: Expression = { kind: 'call', name: 'toString', args: [value], position };
  const isNamed = table.columns[name]?.names !== undefined;
  const shown: Expression = isNamed
    ? { kind: 'call', name: 'Enum', args: [value], position }
    : asText;
  const empty: Expression = { kind: 'string', value: '', position };
  const item = (expression: Expression, label: string): Select['items'][number] => ({
    value: expression,
    alias: undefined,
    label,
  });
  return {
    items: [item(value, 'value'), item(shown, 'display_name'), item(empty, 'uid')],
    isDistinct: false,
    source: { kind: 'table', name: `${table.database}.${table.name}`, position },
    where: where && replaced(where, { value, display_name: shown, uid: empty }),
    groupBy: [value],
    having: undefined,
    orderBy: [
      { value: { kind: 'call', name: 'Count', args: [], position }, isDescending: true },
      { value, isDescending: false },
    ],
    seriesLimit: undefined,
    limit: limitOf(statement),
    offset,
  };
}

function limitOf({ limit }: ValuesStatement): number {
  return limit ?? VALUES_DEFAULT;
}

/** The table that is named, else the first that has the tag. */
function tableOf({ tag, table }: ValuesStatement, database: string | undefined): AnyTable {
  if (table !== undefined) return knownTable(table.name, table.position, database);
  const found = SQL_TABLES.find(
    (one) => findTable(one.name, database) === one && columnOf(one, tag.name) in one.columns,
  );
  if (found !== undefined) return found;
  throw new SqlError(`no tag ${tag.name}`, tag.position, 'see show tags');
}

/** A tag that both ends have is asked for by its bare name: the server's end answers. */
function columnOf({ columns }: AnyTable, tag: string): string {
  return tag in columns || !(`${tag}_1` in columns) ? tag : `${tag}_1`;
}

/** `value`, `display_name` and `uid` stand for what the statement computes. */
function replaced(where: Expression, by: Readonly<Record<string, Expression>>): Expression {
  const inner = (value: Expression): Expression => replaced(value, by);
  switch (where.kind) {
    case 'name':
      return Object.hasOwn(by, where.name) ? (by[where.name] ?? where) : where;
    case 'call':
      return { ...where, args: where.args.map(inner) };
    case 'unary':
      return { ...where, value: inner(where.value) };
    case 'binary':
      return { ...where, left: inner(where.left), right: inner(where.right) };
    case 'in':
      return { ...where, value: inner(where.value), list: where.list.map(inner) };
    case 'match':
      return { ...where, value: inner(where.value) };
    default:
      return where;
  }
}

type EnumRow = Readonly<Record<string, number | string>>;

/** Whether a row of an enumeration meets a condition. Throws `SqlError` for what needs rows. */
function isMet(where: Expression, row: EnumRow): boolean {
  switch (where.kind) {
    case 'unary':
      if (where.operator === 'NOT') return !isMet(where.value, row);
      break;
    case 'binary': {
      const { operator, left, right } = where;
      if (operator === 'AND') return isMet(left, row) && isMet(right, row);
      if (operator === 'OR') return isMet(left, row) || isMet(right, row);
      if (operator === '=') return termOf(left, row) === termOf(right, row);
      if (operator === '!=') return termOf(left, row) !== termOf(right, row);
      break;
    }
    case 'in': {
      const value = termOf(where.value, row);
      return where.list.some((one) => termOf(one, row) === value) !== where.isNegated;
    }
    case 'match': {
      const text = termOf(where.value, row);
      const matches = where.how === 'LIKE' ? likeTest(where.pattern) : regexTest(where);
      return matches(text) !== where.isNegated;
    }
    default:
      break;
  }
  throw new SqlError(
    'show enum compares value and display_name only',
    where.position,
    'with =, !=, IN, LIKE, REGEXP, AND, OR, NOT',
  );
}

function termOf(value: Expression, row: EnumRow): string {
  if (value.kind === 'string') return value.value;
  if (value.kind === 'number') return String(Number(value.text));
  const found = value.kind === 'name' ? row[value.name] : undefined;
  if (found !== undefined) return String(found);
  throw new SqlError(
    'no such column of an enumeration',
    value.position,
    'value, display_name, uid',
  );
}

function regexTest({ pattern, position }: Extract<Expression, { kind: 'match' }>) {
  try {
    const compiled = RE2JS.compile(pattern);
    return (text: string): boolean => compiled.matcher(text).find();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SqlError(reason, position, "the pattern is RE2's");
  }
}

/** `*` stands for any text. Each part is looked for once, from left to right. */
function likeTest(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split(/[*%]/);
  const last = rest.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}
