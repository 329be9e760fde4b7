import type { AnyTable } from './column.ts';
import { CLICKHOUSE_TYPES } from './ddl.ts';

/** The reference page of the tables, in Markdown. */
export function tablesPage(tables: readonly AnyTable[]): string {
  const intro = 'Generated from the declarations in `packages/model/src/tables`.';
  return `${['# Tables', intro, ...tables.map(tableSection)].join('\n\n')}\n`;
}

function tableSection(table: AnyTable): string {
  const rows = Object.entries(table.columns).map(([name, column]) => {
    const names = Object.entries(column.names ?? {}).map(([value, text]) => `${value} ${text}`);
    const doc = names.length === 0 ? column.doc : `${column.doc} ${names.join(', ')}.`;
    const cells = [`\`${name}\``, `\`${CLICKHOUSE_TYPES[column.kind]}\``, column.unit ?? '', doc];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  const order =
    table.orderBySeconds === undefined
      ? table.orderBy
      : [`${table.timeColumn} in steps of ${table.orderBySeconds} s`, ...table.orderBy];
  return [
    `## ${table.database}.${table.name}`,
    '',
    `${table.doc} Sorted by ${order.map((name) => `\`${name}\``).join(', ')}; kept for ${table.retentionHours} hours${followsOf(table)}.`,
    '',
    '| column | type | unit | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function followsOf({ retentionFollows = [] }: AnyTable): string {
  if (retentionFollows.length === 0) return ' unless `retention_hours` says otherwise';
  return `, or as long as rows of ${retentionFollows.map((name) => `\`${name}\``).join(', ')} need it`;
}
