import type { AnyTable, Column } from './column.ts';
import { CLICKHOUSE_TYPES } from './ddl.ts';

/** A column as `show tags` and `show metrics` list it. */
export interface CatalogueEntry {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly doc: string;
  /** Value to name, where numbers have names. */
  readonly names: Readonly<Record<number, string>>;
}

export interface Catalogue {
  readonly table: string;
  /** What rows are grouped and filtered by. */
  readonly tags: readonly CatalogueEntry[];
  /** What is counted, summed and averaged: numbers with a unit. */
  readonly metrics: readonly CatalogueEntry[];
}

/** The catalogue of a table, in the declaration's order. */
export function catalogueOf(table: AnyTable): Catalogue {
  const entries = Object.entries(table.columns).map(([name, column]) => ({
    isMetric: isMetric(column),
    entry: {
      name,
      type: CLICKHOUSE_TYPES[column.kind],
      unit: column.unit ?? '',
      doc: column.doc,
      names: column.names ?? {},
    },
  }));
  return {
    table: `${table.database}.${table.name}`,
    tags: entries.filter(({ isMetric }) => !isMetric).map(({ entry }) => entry),
    metrics: entries.filter(({ isMetric }) => isMetric).map(({ entry }) => entry),
  };
}

/** Points in time have a unit too, but nobody sums them. */
function isMetric({ kind, unit }: Column): boolean {
  return unit !== undefined && kind !== 'micros' && kind !== 'seconds';
}
