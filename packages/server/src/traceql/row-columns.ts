import { l7FlowLog, type Span } from '@thalweg/model';
import type { RowFilter } from '../traces/filter.ts';
import { isBlank } from '../traces/row-reader.ts';
import { isErrorStatus, signalOf } from '../traces/trace.ts';
import type { Field, Intrinsic, TraceqlQuery } from './syntax.ts';
import { columnOf, type SpanView, type TraceView } from './trace-view.ts';

/** What SQL reads of each row so that the evaluator can decide a query on that row alone. */
export interface RowColumns {
  /** Expressions by the name that a row's values go by. */
  readonly sql: ReadonlyMap<string, string>;
  readonly params: RowFilter['params'];
}

/** Columns behind intrinsics of one span; the others need its whole trace. */
const INTRINSIC_COLUMNS: Partial<Record<Intrinsic, readonly string[]>> = {
  duration: ['duration_us'],
  name: ['signal_source', 'request_type', 'endpoint', 'path'],
  status: ['signal_source', 'response_status', 'response_code'],
  statusMessage: ['response_exception'],
  kind: ['signal_source', 'span_kind', 'observation_point'],
  eventName: ['events'],
  eventTimeSinceStart: ['events', 'start_us'],
  linkTraceId: ['links'],
  linkSpanId: ['links'],
  instrumentationName: ['scope'],
  instrumentationVersion: ['scope'],
};

const COMPUTED: Readonly<Record<string, string>> = {
  duration_us: 'toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time)',
  start_us: 'toUnixTimestamp64Micro(start_time)',
  // A span's name falls back to its path, which is of high cardinality.
  path: "if(endpoint = '', request_resource, '')",
};

const ATTRIBUTE = 'attribute:';

/** Undefined where the query asks about more of a trace than one span. */
export function rowColumns({ stages, metrics }: TraceqlQuery): RowColumns | undefined {
  const [first, ...rest] = stages;
  if (first?.kind !== 'spansets' || first.spansets.kind !== 'filter') return undefined;
  if (rest.some(({ kind }) => kind !== 'select')) return undefined;
  if (metrics?.name === 'compare') return undefined;
  const names = new Set<string>();
  const fields = [first.spansets.field, ...(metrics?.by ?? []).map(({ field }) => field)];
  if (metrics?.field !== undefined) fields.push(metrics.field);
  if (!fields.every((field) => addNames(field, names))) return undefined;
  const sql = new Map<string, string>();
  const params: Record<string, string> = {};
  for (const name of names) sql.set(name, sqlOf(name, params));
  return { sql, params };
}

/** Adds the names of what a field reads; false where one row does not have it. */
function addNames(field: Field, names: Set<string>): boolean {
  switch (field.kind) {
    case 'literal':
      return true;
    case 'intrinsic': {
      const columns = INTRINSIC_COLUMNS[field.intrinsic];
      for (const column of columns ?? []) names.add(column);
      return columns !== undefined && !field.ofParent;
    }
    case 'attribute':
      for (const name of attributeNames(field)) names.add(name);
      return !field.ofParent;
    case 'match':
    case 'not':
    case 'negative':
      return addNames(field.value, names);
    case 'compare':
    case 'arithmetic':
    case 'logical':
      return addNames(field.left, names) && addNames(field.right, names);
  }
}

function attributeNames({ scope, name }: Extract<Field, { kind: 'attribute' }>): readonly string[] {
  const column = columnOf(scope, name);
  if (column !== undefined) return [column];
  if (scope === 'event') return ['events', 'start_us'];
  if (scope === 'link') return ['links'];
  if (scope === 'instrumentation') return ['scope'];
  const resource = scope === 'span' ? [] : ['resource_attributes'];
  const own = Object.hasOwn(l7FlowLog.columns, name) ? [name] : [];
  return [...own, `${ATTRIBUTE}${name}`, ...resource];
}

function sqlOf(name: string, params: Record<string, string>): string {
  if (!name.startsWith(ATTRIBUTE)) return COMPUTED[name] ?? name;
  const param = `attribute${Object.keys(params).length}`;
  params[param] = name.slice(ATTRIBUTE.length);
  const at = `indexOf(attribute_names, {${param}:String})`;
  return `if(${at} = 0, NULL, attribute_values[${at}])`;
}

/** A span that has what was read of its row, alone in its trace. Null: it does not have it. */
export function rowView(
  names: Iterable<string>,
  values: readonly unknown[],
): { readonly at: SpanView; readonly view: TraceView } {
  const fields: Record<string, string> = {};
  let at = 0;
  for (const name of names) {
    const value = values[at];
    at += 1;
    if (value === null || value === undefined) continue;
    const text = Array.isArray(value) ? value.join(', ') : String(value);
    if (name.startsWith(ATTRIBUTE)) fields[name.slice(ATTRIBUTE.length)] = text;
    else if (!isBlank(text)) fields[name] = text;
  }
  const startUs = Number(fields['start_us'] ?? 0);
  const span: Span = {
    ...EMPTY,
    signal: signalOf(Number(fields['signal_source'] ?? 0)),
    observationPoint: fields['observation_point'] ?? '',
    startUs,
    endUs: startUs + Number(fields['duration_us'] ?? 0),
    method: fields['request_type'] ?? '',
    path: fields['path'] ?? '',
    endpoint: fields['endpoint'] ?? '',
    status: Number(fields['response_code'] ?? 0),
    isError: isErrorStatus(Number(fields['response_status'] ?? 0)),
    fields,
  };
  const one: SpanView = { span, index: 0, parent: -1, end: 1, childCount: 0 };
  const trace = {
    traceId: '0',
    startUs,
    endUs: span.endUs,
    spans: [span],
    isTruncated: false,
    expectedWrongLinks: 0,
  };
  return { at: one, view: { trace, spans: [one] } };
}

const EMPTY: Omit<Span, 'fields'> = {
  spanId: '0',
  parentId: null,
  wireId: '0',
  signal: 'N',
  observationPoint: '',
  service: '',
  processName: '',
  pid: 0,
  hostName: '',
  startUs: 0,
  endUs: 0,
  protocol: '',
  method: '',
  host: '',
  path: '',
  endpoint: '',
  status: 0,
  isError: false,
  isAnswered: true,
  isLossy: false,
  link: null,
};
