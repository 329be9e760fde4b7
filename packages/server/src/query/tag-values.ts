import { type AnyTable, TABLES } from '@thalweg/model';
import { findTable, type Listing } from './catalogue.ts';
import { knownTable } from './generate.ts';
import type { Expression, Select, Statement } from './syntax.ts';
import { SqlError } from './tokens.ts';

type ValuesStatement = Extract<Statement, { kind: 'values' }>;

const COLUMNS = ['value', 'display_name', 'uid'] as const;
const VALUES_DEFAULT = 10_000;

/** The numbers that have names, as `show enum x values` lists them. */
export function enumValues(statement: ValuesStatement, database: string | undefined): Listing {
  const { tag, pattern } = statement;
  const names = tableOf(statement, database).columns[tag.name]?.names;
  if (names === undefined) {
    throw new SqlError(`${tag.name} has no named values`, tag.position, 'see show tags');
  }
  const isLike = pattern === undefined ? () => true : matcher(pattern);
  const values = Object.entries(names)
    .filter(([, name]) => isLike(name))
    .map(([value, name]) => [Number(value), name, '']);
  return {
    columns: COLUMNS,
    values: values.slice(statement.offset ?? 0).slice(0, limitOf(statement)),
  };
}

/** The statement that finds a tag's values in rows, the most frequent first. */
export function valuesSelect(statement: ValuesStatement, database: string | undefined): Select {
  const { tag, pattern, offset } = statement;
  const table = tableOf(statement, database);
  const { position } = tag;
  const value: Expression = { kind: 'name', name: tag.name, position };
  const asText: Expression = { kind: 'call', name: 'toString', args: [value], position };
  const isNamed = table.columns[tag.name]?.names !== undefined;
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
    where:
      pattern === undefined
        ? undefined
        : { kind: 'match', how: 'LIKE', isNegated: false, value: shown, pattern, position },
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
  const found = TABLES.find(
    (one) => findTable(one.name, database) === one && Object.hasOwn(one.columns, tag.name),
  );
  if (found !== undefined) return found;
  throw new SqlError(`no tag ${tag.name}`, tag.position, 'see show tags');
}

/** `*` stands for any text. Each part is looked for once, from left to right. */
function matcher(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
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
