import type { RowFilter } from '../traces/filter.ts';
import type { ComparisonOperator, Field, Spansets, Stage, TraceqlQuery } from './syntax.ts';
import { columnOf } from './trace-view.ts';

type Params = Record<string, RowFilter['params'][string]>;

/**
 * A condition that at least one row of every matching trace meets, as SQL. It only narrows what is
 * read: the evaluator decides. What SQL cannot say exactly becomes `1`, never something stricter.
 */
export function necessaryCondition(query: TraceqlQuery): RowFilter {
  const params: Params = {};
  const [first] = query.stages;
  const where = first === undefined ? ALL : ofStage(first, params);
  return { where, params };
}

const ALL = '1';

function ofStage(stage: Stage, params: Params): string {
  return stage.kind === 'spansets' ? ofSpansets(stage.spansets, params) : ALL;
}

function ofSpansets(expression: Spansets, params: Params): string {
  switch (expression.kind) {
    case 'filter':
      return ofField(expression.field, params);
    case 'pipeline': {
      const [first] = expression.stages;
      return first === undefined ? ALL : ofStage(first, params);
    }
    case 'combine': {
      const left = ofSpansets(expression.left, params);
      const right = ofSpansets(expression.right, params);
      if (expression.operator === '||') return either(left, right);
      // Both must be there, so either one is necessary: take one that narrows.
      return right === ALL ? left : right;
    }
    case 'relate': {
      const right = ofSpansets(expression.right, params);
      if (right !== ALL || expression.how === 'not') return right;
      return ofSpansets(expression.left, params);
    }
  }
}

const either = (a: string, b: string): string => (a === ALL || b === ALL ? ALL : `(${a} OR ${b})`);

function both(a: string, b: string): string {
  if (a === ALL) return b;
  return b === ALL ? a : `(${a} AND ${b})`;
}

function ofField(field: Field, params: Params): string {
  switch (field.kind) {
    case 'logical': {
      const left = ofField(field.left, params);
      const right = ofField(field.right, params);
      return field.operator === '&&' ? both(left, right) : either(left, right);
    }
    case 'compare':
      return isPart(field.left) && !isNil(field.right)
        ? ofPart(field.left, field.operator, field.right, params)
        : ofComparison(field, params);
    case 'match':
      return isPart(field.value) ? ofPart(field.value, '=~', undefined, params) : ALL;
    case 'literal':
      return field.value === false ? '0' : ALL;
    default:
      return ALL;
  }
}

function isNil(field: Field): boolean {
  return field.kind === 'literal' && field.type === 'nil';
}

/** Of events or links, which lie in a column of JSON. */
function isPart(field: Field): field is Extract<Field, { kind: 'intrinsic' | 'attribute' }> {
  return partColumn(field) !== undefined;
}

function partColumn(field: Field): 'events' | 'links' | undefined {
  if ((field.kind !== 'intrinsic' && field.kind !== 'attribute') || field.ofParent)
    return undefined;
  const name = field.kind === 'intrinsic' ? field.intrinsic : field.scope;
  if (name.startsWith('event')) return 'events';
  return name.startsWith('link') ? 'links' : undefined;
}

/** Every comparison asks for at least one event or link; an event's name stands in the JSON. */
function ofPart(field: Field, operator: string, right: Field | undefined, params: Params): string {
  const column = partColumn(field);
  if (column === undefined) return ALL;
  const isName = field.kind === 'intrinsic' && field.intrinsic === 'eventName';
  if (!isName || operator !== '=' || right?.kind !== 'literal') return `${column} != ''`;
  const name = `q${Object.keys(params).length}`;
  params[name] = `"name":${JSON.stringify(String(right.value))}`;
  return `position(${column}, {${name}:String}) > 0`;
}

const TEXT_COLUMNS: ReadonlySet<string> = new Set([
  'app_service',
  'request_type',
  'request_domain',
  'request_resource',
  'endpoint',
  'host',
]);
const NUMBER_COLUMNS: ReadonlySet<string> = new Set([
  'response_code',
  'client_port',
  'server_port',
]);

function ofComparison(
  { left, right, operator }: Extract<Field, { kind: 'compare' }>,
  params: Params,
): string {
  if (right.kind !== 'literal' || (left.kind !== 'intrinsic' && left.kind !== 'attribute'))
    return ALL;
  if (left.ofParent || right.value === undefined) return ALL;
  const name = `q${Object.keys(params).length}`;
  if (left.kind === 'intrinsic') {
    const isDuration = left.intrinsic === 'duration' && typeof right.value === 'number';
    return isDuration ? ofDuration(operator, Number(right.value) / NS_PER_US) : ALL;
  }
  const column = columnOf(left.scope, left.name);
  if (column === undefined) return ofFreeAttribute(left, params, name);
  if (typeof right.value === 'string' && operator === '=' && TEXT_COLUMNS.has(column)) {
    params[name] = right.value;
    return `${column} = {${name}:String}`;
  }
  if (typeof right.value === 'number' && NUMBER_COLUMNS.has(column)) {
    params[name] = right.value;
    return `${column} ${operator} {${name}:Float64}`;
  }
  return ALL;
}

const NS_PER_US = 1e3;

/** Rounded outwards: the column holds whole microseconds. */
function ofDuration(operator: ComparisonOperator, us: number): string {
  const least = `response_duration >= ${Math.max(0, Math.floor(us) - 1)}`;
  const most = `response_duration <= ${Math.max(0, Math.ceil(us) + 1)}`;
  if (operator === '>' || operator === '>=') return least;
  if (operator === '<' || operator === '<=') return most;
  return operator === '=' ? both(least, most) : ALL;
}

function ofFreeAttribute(
  attribute: Extract<Field, { kind: 'attribute' }>,
  params: Params,
  name: string,
): string {
  if (!/[.-]/.test(attribute.name)) return ALL; // It may be the name of a column.
  params[name] = attribute.name;
  const own = `has(attribute_names, {${name}:String})`;
  const resource = `JSONHas(resource_attributes, {${name}:String})`;
  if (attribute.scope === 'span') return own;
  return attribute.scope === 'resource' ? resource : `(${own} OR ${resource})`;
}
