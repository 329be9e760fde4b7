import type { AnyTable, Column } from '@thalweg/model';
import { measuresOf } from './catalogue.ts';
import { FUNCTION_NAMES, FUNCTIONS, functionType } from './functions.ts';
import type { Shown } from './syntax.ts';

// SHOW statements, answered from the declaration of the tables in the columns that DeepFlow's clients
// read. There is one language; `_zh` and `_en` hold the same.

export interface Listing {
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

/** `tables` are those asked about. */
export function listCatalogue(what: Shown, tables: readonly AnyTable[]): Listing {
  switch (what) {
    case 'databases': {
      const names = new Set(tables.map(({ database }) => database));
      return { columns: ['name'], values: [...names].map((name) => [name]) };
    }
    case 'tables':
      return {
        columns: ['name', 'database', 'description'],
        values: tables.map((table) => [table.name, table.database, table.doc]),
      };
    case 'language':
      return { columns: ['language'], values: [['en']] };
    case 'functions':
      return listing(FUNCTION_COLUMNS, FUNCTION_NAMES.map(functionRow));
    case 'metrics':
      return listing(METRIC_COLUMNS, tables.flatMap(metricRows));
    case 'tags':
      return listing(TAG_COLUMNS, tables.flatMap(tagRows));
    case 'all_enum_tags':
      return listing(
        TAG_COLUMNS,
        tables.flatMap(tagRows).filter(({ type }) => type === 'int_enum'),
      );
  }
}

type Row<Name extends string> = Readonly<Record<Name, unknown>>;

function listing<Name extends string>(
  columns: readonly Name[],
  rows: readonly Row<Name>[],
): Listing {
  return { columns, values: rows.map((row) => columns.map((column) => row[column])) };
}

const TAG_COLUMNS = [
  'name',
  'client_name',
  'server_name',
  'display_name',
  'display_name_zh',
  'display_name_en',
  'type',
  'category',
  'operators',
  'permissions',
  'description',
  'description_zh',
  'description_en',
  'related_tag',
  'deprecated',
  'not_supported_operators',
  'table',
] as const;

/** A number that is worth adding up or averaging, not an identifier or a name. */
function isMetric(table: AnyTable, name: string, column: Column): boolean {
  if (Object.hasOwn(measuresOf(table), name)) return true;
  return column.unit !== undefined && column.kind !== 'micros';
}

/** A tag that both ends have is one row under its bare name, with the names of both. */
function tagRows(table: AnyTable): Row<(typeof TAG_COLUMNS)[number]>[] {
  const { columns } = table;
  const isPair = (bare: string): boolean => `${bare}_0` in columns && `${bare}_1` in columns;
  return Object.entries(columns).flatMap(([name, column]) => {
    if (isMetric(table, name, column)) return [];
    const bare = name.replace(/_[01]$/, '');
    const hasEnds = bare !== name && isPair(bare);
    if (hasEnds && name.endsWith('_1')) return [];
    const shown = hasEnds ? bare : name;
    const doc = hasEnds ? column.doc.replace(/, at the client's end\.$/, '.') : column.doc;
    const type = tagType(column);
    return [
      {
        name: shown,
        client_name: hasEnds ? `${bare}_0` : name,
        server_name: hasEnds ? `${bare}_1` : name,
        ...displayNames(shown),
        type,
        category: 'Thalweg',
        operators: operatorsOf(type),
        permissions: PERMISSIONS,
        ...descriptions(doc),
        related_tag: '',
        deprecated: false,
        not_supported_operators: [],
        table: table.name,
      },
    ];
  });
}

const PERMISSIONS = [true, true, true];

const displayNames = (name: string) => ({
  display_name: name,
  display_name_zh: name,
  display_name_en: name,
});
const descriptions = (doc: string) => ({
  description: doc,
  description_zh: doc,
  description_en: doc,
});

function tagType(column: Column): string {
  if (column.names !== undefined) return 'int_enum';
  if (column.kind === 'seconds' || column.kind === 'micros') return 'time';
  if (column.kind === 'id') return 'id';
  if (column.kind === 'category' || column.kind === 'text') return 'string';
  return column.kind === 'texts' ||
    column.kind === 'categories' ||
    column.kind === 'floats' ||
    column.kind === 'ids'
    ? 'array'
    : 'int';
}

const TEXT_OPERATORS = ['=', '!=', 'IN', 'NOT IN', 'LIKE', 'NOT LIKE', 'REGEXP', 'NOT REGEXP'];
const NUMBER_OPERATORS = ['=', '!=', 'IN', 'NOT IN', '>=', '<='];

function operatorsOf(type: string): readonly string[] {
  if (type === 'array') return [];
  return type === 'string' ? TEXT_OPERATORS : NUMBER_OPERATORS;
}

const METRIC_COLUMNS = [
  'name',
  'is_agg',
  'display_name',
  'display_name_zh',
  'display_name_en',
  'unit',
  'unit_zh',
  'unit_en',
  'type',
  'category',
  'operators',
  'permissions',
  'table',
  'description',
  'description_zh',
  'description_en',
] as const;

/** DeepFlow's numbers of what a metric is. */
const METRIC_TYPES = { counter: 1, gauge: 2, delay: 3, percentage: 4, quotient: 5 } as const;

function metricRows(table: AnyTable): Row<(typeof METRIC_COLUMNS)[number]>[] {
  const row = (
    name: string,
    unit: string,
    type: keyof typeof METRIC_TYPES,
    doc: string,
  ): Row<(typeof METRIC_COLUMNS)[number]> => ({
    name,
    is_agg: false,
    ...displayNames(name),
    unit,
    unit_zh: unit,
    unit_en: unit,
    type: METRIC_TYPES[type],
    category: 'Thalweg',
    operators: NUMBER_OPERATORS,
    permissions: PERMISSIONS,
    table: table.name,
    ...descriptions(doc),
  });
  const measures = measuresOf(table);
  const own = Object.entries(table.columns)
    .filter(([name, column]) => isMetric(table, name, column) && !Object.hasOwn(measures, name))
    .map(([name, { unit = '', doc }]) => row(name, unit, unit === 'µs' ? 'delay' : 'counter', doc));
  const computed = Object.entries(measures).map(([name, { kind, unit, doc }]) => {
    const isDelay = unit === 'µs' && kind !== 'counter';
    const type = isDelay ? 'delay' : kind === 'quotient' && unit === '%' ? 'percentage' : kind;
    return row(name, unit, type, doc);
  });
  return [...own, ...computed];
}

const FUNCTION_COLUMNS = [
  'name',
  'type',
  'support_metric_types',
  'unit_overwrite',
  'additional_param_count',
  'is_support_other_operators',
  'value_type',
] as const;

/** Units of what is not in the unit of its argument. */
const UNITS: Readonly<Record<string, string>> = {
  PerSecond: '$unit/s',
  nonNegativeDerivative: '$unit/s',
  Percentage: '%',
  Apdex: '%',
  Count: '',
  Uniq: '',
  UniqExact: '',
  countDistinct: '',
};
const ARRAYS = ['Histogram', 'groupArray', 'TopK'];

function functionRow(name: string): Row<(typeof FUNCTION_COLUMNS)[number]> {
  const type = functionType(name);
  const most = FUNCTIONS.get(name.toLowerCase())?.most ?? 1;
  return {
    name,
    type,
    support_metric_types: type === 3 ? [] : Object.values(METRIC_TYPES),
    unit_overwrite: UNITS[name] ?? '$unit',
    additional_param_count: type === 3 ? 0 : Math.max(0, most - 1),
    is_support_other_operators: type !== 3,
    value_type: ARRAYS.includes(name) ? 'Array' : 'Float64',
  };
}
