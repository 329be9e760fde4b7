import type { Field, Intrinsic, Scope, StaticType } from './syntax.ts';

export const SCOPES: ReadonlySet<string> = new Set([
  'span',
  'resource',
  'parent',
  'event',
  'link',
  'instrumentation',
]);

/** Names of intrinsics as queries write them. Source: Tempo's documentation, "Intrinsic fields". */
const INTRINSIC_NAMES: Readonly<Record<string, Intrinsic>> = {
  duration: 'duration',
  'span:duration': 'duration',
  name: 'name',
  'span:name': 'name',
  status: 'status',
  'span:status': 'status',
  statusMessage: 'statusMessage',
  'span:statusMessage': 'statusMessage',
  kind: 'kind',
  'span:kind': 'kind',
  childCount: 'childCount',
  'span:childCount': 'childCount',
  'span:id': 'spanId',
  'span:parentID': 'parentId',
  rootName: 'rootName',
  'trace:rootName': 'rootName',
  rootServiceName: 'rootServiceName',
  'trace:rootService': 'rootServiceName',
  traceDuration: 'traceDuration',
  'trace:duration': 'traceDuration',
  'trace:id': 'traceId',
  'event:name': 'eventName',
  'event:timeSinceStart': 'eventTimeSinceStart',
  'link:traceID': 'linkTraceId',
  'link:spanID': 'linkSpanId',
  'instrumentation:name': 'instrumentationName',
  'instrumentation:version': 'instrumentationVersion',
  nestedSetLeft: 'nestedSetLeft',
  nestedSetRight: 'nestedSetRight',
  nestedSetParent: 'nestedSetParent',
};

/** How answers name those that have no name without a scope. */
const INTRINSIC_LABELS: Partial<Record<Intrinsic, string>> = {
  spanId: 'span:id',
  parentId: 'span:parentID',
  traceId: 'trace:id',
  eventName: 'event:name',
  eventTimeSinceStart: 'event:timeSinceStart',
  linkTraceId: 'link:traceID',
  linkSpanId: 'link:spanID',
  instrumentationName: 'instrumentation:name',
  instrumentationVersion: 'instrumentation:version',
};

const INTRINSIC_TYPES: Readonly<Record<Intrinsic, StaticType>> = {
  duration: 'number',
  name: 'string',
  status: 'status',
  statusMessage: 'string',
  kind: 'kind',
  childCount: 'number',
  rootName: 'string',
  rootServiceName: 'string',
  traceDuration: 'number',
  nestedSetLeft: 'number',
  nestedSetRight: 'number',
  nestedSetParent: 'number',
  spanId: 'string',
  parentId: 'string',
  traceId: 'string',
  eventName: 'string',
  eventTimeSinceStart: 'number',
  linkTraceId: 'string',
  linkSpanId: 'string',
  instrumentationName: 'string',
  instrumentationVersion: 'string',
};

/** The names that tag completion lists. */
export const INTRINSIC_TAGS: readonly string[] = Object.keys(INTRINSIC_NAMES).sort();

const STATUSES = ['ok', 'error', 'unset'];
/** By OpenTelemetry's number. */
export const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

export function literalOf(word: string): Field | undefined {
  if (word === 'true' || word === 'false') {
    return { kind: 'literal', type: 'boolean', value: word === 'true' };
  }
  if (word === 'minInt' || word === 'maxInt') {
    return { kind: 'literal', type: 'number', value: word === 'minInt' ? -(2 ** 63) : 2 ** 63 };
  }
  if (word === 'nil') return { kind: 'literal', type: 'nil', value: undefined };
  if (STATUSES.includes(word)) return { kind: 'literal', type: 'status', value: word };
  if (SPAN_KINDS.includes(word)) return { kind: 'literal', type: 'kind', value: word };
  return undefined;
}

export function intrinsicOf(name: string, ofParent: boolean): Field | undefined {
  const intrinsic = Object.hasOwn(INTRINSIC_NAMES, name) ? INTRINSIC_NAMES[name] : undefined;
  return intrinsic && { kind: 'intrinsic', intrinsic, ofParent };
}

export function attributeOf(scope: string, name: string, ofParent: boolean): Field {
  // `SCOPES` was asked before; `parent.x` looks in both of the parent's scopes.
  const where = scope === 'parent' ? 'any' : (scope as Scope);
  return { kind: 'attribute', scope: where, name, ofParent };
}

export function typeOf(field: Field): StaticType {
  switch (field.kind) {
    case 'literal':
      return field.type;
    case 'intrinsic':
      return INTRINSIC_TYPES[field.intrinsic];
    case 'attribute':
      return 'any';
    case 'compare':
    case 'match':
    case 'logical':
    case 'not':
      return 'boolean';
    case 'arithmetic':
    case 'negative':
      return 'number';
  }
}

/** How an answer names a selected or grouping field. */
export function labelOf(field: Field): string {
  switch (field.kind) {
    case 'intrinsic': {
      const label = INTRINSIC_LABELS[field.intrinsic] ?? field.intrinsic;
      return field.ofParent ? `parent.${label}` : label;
    }
    case 'attribute':
      return `${field.ofParent ? 'parent.' : ''}${field.scope === 'any' ? '' : `${field.scope}.`}${field.name}`;
    case 'literal':
      return String(field.value);
    case 'compare':
    case 'arithmetic':
    case 'logical':
      return `${labelOf(field.left)} ${field.operator} ${labelOf(field.right)}`;
    case 'match':
      return `${labelOf(field.value)} ${field.isNegated ? '!~' : '=~'} ${JSON.stringify(field.pattern)}`;
    case 'not':
    case 'negative':
      return `${field.kind === 'not' ? '!' : '-'}${labelOf(field.value)}`;
  }
}
