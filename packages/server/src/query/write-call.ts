import { PRECISIONS } from '../flow/flow-tables.ts';
import { quotientSql } from '../flow/measures.ts';
import { measuresOf } from './catalogue.ts';
import { DELAY_AGGREGATES, FUNCTION_NAMES, FUNCTIONS, NODE_TYPES } from './functions.ts';
import { columnSql, didYouMean, quoteString, type Scope, writeName, writeNumber } from './scope.ts';
import type { Expression } from './syntax.ts';
import { readTimeCall, timeSql } from './time-call.ts';
import { SqlError } from './tokens.ts';

type CallExpression = Extract<Expression, { kind: 'call' }>;
type Write = (value: Expression) => string;

/** ClickHouse's SQL of a call; `write` writes its arguments. Throws `SqlError`. */
export function writeCall(call: CallExpression, scope: Scope, write: Write): string {
  const { args, position } = call;
  const name = call.name.toLowerCase();
  const [first] = args;
  switch (name) {
    case 'enum':
      return writeEnum(first, position, scope);
    case 'exist':
      return writeExist(first, position, scope);
    case 'persecond':
      return writePerSecond(call, scope, write);
    case 'nonnegativederivative':
      return writeDerivative(call, scope, write);
    case 'node_type':
      return writeNodeType(first, position, scope);
    case 'time':
      return timeSql(first === undefined ? '' : write(first), readTimeCall(call));
  }
  const known = FUNCTIONS.get(name);
  if (known === undefined) {
    const fix = didYouMean(call.name, FUNCTION_NAMES);
    throw new SqlError(`no function ${call.name}`, position, fix);
  }
  if (args.length < known.least || args.length > known.most) {
    const wanted = known.least === known.most ? known.least : `${known.least} to ${known.most}`;
    const message = `${call.name} has ${args.length} arguments, it takes ${wanted}`;
    throw new SqlError(message, position, 'give it that many');
  }
  if (name === 'count') return known.write([]);
  const measured = name === 'avg' && first?.kind === 'name' ? writeMean(first, scope) : undefined;
  if (measured !== undefined) return measured;
  const texts = args.map((arg, index) => {
    if (known.literals?.includes(index) !== true) return write(arg);
    if (arg.kind === 'number') return writeNumber(arg.text, arg.position);
    const message = `argument ${index + 1} of ${call.name} is not a number`;
    throw new SqlError(message, arg.position, 'write the number itself');
  });
  const conditional = DELAY_AGGREGATES[name];
  const [text = ''] = texts;
  const isDelay = first?.kind === 'name' && first.name === 'response_duration';
  if (isDelay && conditional !== undefined) return `${conditional}(${text}, ${text} > 0)`;
  return known.write(texts);
}

/**
 * Avg of what is no plain number of a row: of a quotient, Sum(part) / Sum(whole); of a counter, what
 * an interval has of it, whether it has rows or not. Undefined for any other column.
 */
function writeMean(
  { name, position }: Extract<Expression, { kind: 'name' }>,
  scope: Scope,
): string | undefined {
  const measure = scope.table === undefined ? undefined : measuresOf(scope.table)[name];
  if (measure === undefined || measure.kind === 'gauge') return undefined;
  const sum = (counter: string): string => `sum(${columnSql(counter, scope) ?? '0'})`;
  if (measure.kind === 'quotient') {
    return quotientSql(measure, sum(measure.part), sum(measure.whole));
  }
  const period = knownPeriod('Avg of a counter', position, scope);
  return `(${sum(name)} / ${period / PRECISIONS[scope.precision]})`;
}

function knownPeriod(who: string, position: number, { period }: Scope): number {
  if (period !== undefined) return period;
  const fix = 'group by time(time, n), or bound time from both sides in WHERE';
  throw new SqlError(`${who} does not know how many seconds there are`, position, fix);
}

/** Whether a tag has a value: text that is not empty, a number that is not 0. */
function writeExist(value: Expression | undefined, position: number, scope: Scope): string {
  if (value?.kind !== 'name') {
    throw new SqlError('exist takes a column', position, 'such as exist(trace_id)');
  }
  return `notEmpty(replaceRegexpOne(toString(${writeName(value.name, value.position, scope)}), '^(0|\\\\[\\\\])$', ''))`;
}

/** Of a sum, divided by what a group stands for; of a counter's mean, by its interval. */
function writePerSecond({ args, position }: CallExpression, scope: Scope, write: Write): string {
  const [value] = args;
  if (value === undefined || args.length > 1) {
    throw new SqlError('PerSecond takes one argument', position, 'such as PerSecond(Sum(request))');
  }
  const isMean = value.kind === 'call' && value.name.toLowerCase() === 'avg';
  const seconds = isMean ? PRECISIONS[scope.precision] : knownPeriod('PerSecond', position, scope);
  return `(${write(value)} / ${seconds})`;
}

/**
 * How much a number of a series grew a second since the interval before; 0 where it fell and in the
 * first one, as ClickHouse's function of that name has it.
 */
function writeDerivative(call: CallExpression, scope: Scope, write: Write): string {
  const [value] = call.args;
  const { time, keys } = scope.groups;
  if (value === undefined || call.args.length > 1) {
    const fix = 'such as nonNegativeDerivative(Max(request))';
    throw new SqlError(`${call.name} takes one argument`, call.position, fix);
  }
  if (time === undefined) {
    const fix = 'group by time(time, n)';
    throw new SqlError(`${call.name} needs intervals of time`, call.position, fix);
  }
  const [now, at] = [write(value), write(time)];
  const partition = keys.length === 0 ? '' : `PARTITION BY ${keys.map(write).join(', ')} `;
  const over = `OVER (${partition}ORDER BY ${at} ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)`;
  const before = (text: string): string => `any(toFloat64(${text})) ${over}`;
  const seconds = `toFloat64(${at}) - ${before(at)}`;
  return `if(${seconds} > 0, greatest(0, (toFloat64(${now}) - ${before(now)}) / (${seconds})), 0)`;
}

/** What kind of thing a tag's value names; empty where the row has none. */
function writeNodeType(value: Expression | undefined, position: number, scope: Scope): string {
  const name = value?.kind === 'name' ? value.name : '';
  const type = NODE_TYPES[name.replace(/_[01]$/, '')];
  if (value?.kind !== 'name' || type === undefined) {
    const fix = `node_type takes one of: ${Object.keys(NODE_TYPES).join(', ')}`;
    throw new SqlError('node_type takes a tag that names a resource', position, fix);
  }
  const text = `toString(${writeName(name, value.position, scope)})`;
  const isAddress = `(isIPv4String(${text}) OR isIPv6String(${text}))`;
  const own = type === 'auto' ? `if(${isAddress}, 'ip', 'service')` : quoteString(type);
  return `if(${text} IN ('', '0'), '', ${own})`;
}

/** The name of a numbered value, or the number as text where it has none. */
function writeEnum(value: Expression | undefined, position: number, scope: Scope): string {
  const names = value?.kind === 'name' ? scope.table?.columns[value.name]?.names : undefined;
  if (value?.kind !== 'name' || names === undefined) {
    const known = Object.entries(scope.table?.columns ?? {})
      .filter(([, column]) => column.names !== undefined)
      .map(([name]) => name);
    const fix = `Enum takes one of: ${known.join(', ')}`;
    throw new SqlError('Enum takes a column whose values have names', position, fix);
  }
  const column = writeName(value.name, position, { ...scope, aliases: new Map() });
  const texts = Object.values(names).map(quoteString).join(', ');
  const numbers = Object.keys(names).join(', ');
  return `transform(toInt64(${column}), [${numbers}], [${texts}], toString(${column}))`;
}
