import { type AnyTable, type Column, defineTable } from '@thalweg/model';
import {
  FLOW_ENUMS,
  FLOW_TABLES,
  type FlowTable,
  flowSource,
  PRECISIONS,
  type Precision,
} from '../flow/flow-tables.ts';
import { aggregateSql, type Measures } from '../flow/measures.ts';
import type { TimeBounds } from './period.ts';

// DeepFlow's `flow_metrics` in SQL: tables without rows of their own, read as a SELECT that groups
// rows of `l7_flow_log` by intervals of a second or a minute.

const RETENTION_HOURS = 72; // Of the log that they are made of.

interface FlowSqlTable {
  readonly table: AnyTable;
  readonly flow: FlowTable;
}

const TABLES: readonly FlowSqlTable[] = Object.values(FLOW_TABLES)
  .filter(({ database }) => database === 'flow_metrics')
  .map((flow) => ({ flow, table: declared(flow) }));

export const FLOW_SQL_TABLES: readonly AnyTable[] = TABLES.map(({ table }) => table);

function declared(flow: FlowTable): AnyTable {
  const dimension = (name: string): Column => {
    const names = FLOW_ENUMS[name];
    const kind = names !== undefined ? 'u8' : name === 'server_port' ? 'u16' : 'category';
    return { kind, doc: 'What rows are told apart by.', ...(names === undefined ? {} : { names }) };
  };
  const measured = storedMeasures(flow.measures).map(([name, { doc }]) => [
    name,
    { kind: 'id', doc } satisfies Column,
  ]);
  return defineTable({
    database: flow.database,
    name: flow.name,
    doc: flow.doc,
    timeColumn: 'time',
    orderBy: ['time'],
    retentionHours: RETENTION_HOURS,
    writer: 'server',
    columns: {
      time: { kind: 'seconds', doc: "The interval's start." },
      ...Object.fromEntries(Object.keys(flow.dimensions).map((name) => [name, dimension(name)])),
      ...Object.fromEntries(measured),
    },
  });
}

/** Those that are columns; quotients are computed of them. */
function storedMeasures(measures: Measures): [string, Measures[string]][] {
  return Object.entries(measures).filter(([, { kind }]) => kind !== 'quotient');
}

export function measuresOfFlow(table: AnyTable): Measures {
  return TABLES.find((one) => one.table === table)?.flow.measures ?? {};
}

/** `application.1m` is the table `application` and the precision `1m`. */
export function splitPrecision(name: string): {
  readonly name: string;
  readonly precision: Precision | undefined;
} {
  const end = /\.(1s|1m)$/.exec(name)?.[1];
  // Checked by the pattern.
  return end === undefined
    ? { name, precision: undefined }
    : { name: name.slice(0, -end.length - 1), precision: end as Precision };
}

const FOREVER_S = 0xffffffff;

/**
 * The SELECT behind a flow table; undefined: the table has rows of its own. Columns have their
 * names. What `bounds` leave out is not read.
 */
export function flowSelect(
  table: AnyTable,
  precision: Precision,
  bounds: TimeBounds,
): string | undefined {
  const found = TABLES.find((one) => one.table === table);
  if (found === undefined) return undefined;
  const { flow } = found;
  const seconds = PRECISIONS[precision];
  const floor = (at: number): number => Math.floor(at / seconds) * seconds;
  const clamp = (at: number): number => Math.max(0, Math.min(at, FOREVER_S));
  const range = {
    start: String(clamp(Number.isNaN(bounds.first) ? 0 : floor(bounds.first))),
    end: String(clamp(Number.isNaN(bounds.last) ? FOREVER_S : floor(bounds.last) + seconds)),
  };
  const columns = [
    `toStartOfInterval(l7.time, toIntervalSecond(${seconds})) AS \`time\``,
    ...Object.entries(flow.dimensions).map(([name, sql]) => `${sql} AS \`${name}\``),
    ...storedMeasures(flow.measures).map(
      ([name]) => `${aggregateSql(flow.measures, name)} AS \`${name}\``,
    ),
  ];
  const keys = ['`time`', ...Object.keys(flow.dimensions).map((name) => `\`${name}\``)];
  return `(SELECT ${columns.join(', ')} ${flowSource(flow, range)} GROUP BY ${keys.join(', ')})`;
}
