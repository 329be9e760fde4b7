import type { Matcher } from '../series-source.ts';
import {
  AGGREGATION_OPERATORS,
  type Aggregation,
  type AggregationOperator,
  type Call,
  type Expression,
  type VectorSelector,
} from './ast.ts';
import { FUNCTION_SIGNATURES } from './function-signatures.ts';
import { parseDuration, parseNumber } from './numbers.ts';
import { ParseFault } from './parse-error.ts';
import type { ParserState } from './postfix.ts';
import { isLabelName, isLegacyLabelName, quote, unquote } from './quoting.ts';
import { isWord, rangeOf, unexpected } from './token-cursor.ts';
import type { Token } from './tokens.ts';

const EXPERIMENTAL_AGGREGATIONS: readonly string[] = ['limitk', 'limit_ratio'];
const PARAMETRIC: readonly string[] = [
  'bottomk',
  'count_values',
  'limit_ratio',
  'limitk',
  'quantile',
  'topk',
];

/** Literals, parentheses, selectors, calls and aggregations. */
export function parsePrimary(state: ParserState): Expression {
  const { cursor } = state;
  const token = cursor.peek();
  switch (token.kind) {
    case 'number':
    case 'duration':
      cursor.next();
      return numberOf(token);
    case 'string':
      cursor.next();
      return { kind: 'string', value: stringValue(token), range: rangeOf(token) };
    case 'aggregator':
      return parseAggregation(state) ?? parseSelector(state);
    case 'identifier':
      return isWord(cursor.peek(1), '(') ? parseCall(state) : parseSelector(state);
    case 'keyword':
      return isWord(cursor.peek(1), '(') && FUNCTION_SIGNATURES.has(token.text)
        ? parseCall(state)
        : parseSelector(state);
    case 'metric-identifier':
      return parseSelector(state);
    case 'operator':
      // Words such as `and` may name a metric where an operand is due.
      if (/^[a-z]/.test(token.text)) return parseSelector(state);
      throw unexpected(token);
    case 'punctuation': {
      if (token.text === '{') return parseSelector(state);
      if (token.text !== '(') throw unexpected(token);
      cursor.next();
      const expression = state.expression();
      if (!isWord(cursor.peek(), ')')) throw unexpected(cursor.peek());
      const { end } = cursor.next();
      return { kind: 'parentheses', expression, range: { start: token.start, end } };
    }
    case 'end':
      throw unexpected(token);
  }
}

function numberOf(token: Token): Expression {
  const range = rangeOf(token);
  if (token.kind === 'duration') {
    const ms = parseDuration(token.text);
    if (typeof ms !== 'number') throw new ParseFault(range, ms.reason);
    return { kind: 'number', value: ms / 1000, isDuration: true, range };
  }
  const value = parseNumber(token.text);
  if (value === undefined) {
    throw new ParseFault(range, `error parsing number: strconv.ParseFloat: ${quote(token.text)}`);
  }
  return { kind: 'number', value, isDuration: false, range };
}

function stringValue(token: Token): string {
  const value = unquote(token.raw);
  if (value === undefined) {
    const message = `error unquoting string ${quote(token.raw)}: invalid syntax`;
    throw new ParseFault(rangeOf(token), message);
  }
  return value;
}

function parseCall(state: ParserState): Call {
  const { cursor } = state;
  const name = cursor.next();
  const signature = FUNCTION_SIGNATURES.get(name.text);
  if (signature === undefined) {
    throw new ParseFault(rangeOf(name), `unknown function with name ${quote(name.text)}`);
  }
  if (signature.isExperimental && !state.isExperimental) {
    throw new ParseFault(rangeOf(name), `function ${quote(name.text)} is not enabled`, true);
  }
  const args = parseArguments(state);
  return { kind: 'call', signature, args, range: { start: name.start, end: cursor.lastEnd } };
}

function parseArguments(state: ParserState): Expression[] {
  const { cursor } = state;
  cursor.expect('(', 'aggregation', '');
  const args: Expression[] = [];
  if (cursor.accept(')') !== undefined) return args;
  while (true) {
    args.push(state.expression());
    if (cursor.accept(')') !== undefined) return args;
    if (cursor.accept(',') === undefined) {
      throw unexpected(cursor.peek(), 'function call arguments', '"," or ")"');
    }
    const trailing = cursor.peek();
    if (isWord(trailing, ')')) {
      throw new ParseFault(rangeOf(trailing), 'trailing commas not allowed in function call args');
    }
  }
}

/** Undefined where the word is not an aggregation but names a metric. */
function parseAggregation(state: ParserState): Aggregation | undefined {
  const { cursor } = state;
  const name = cursor.peek();
  const after = cursor.peek(1);
  if (!isWord(after, '(') && !isWord(after, 'by') && !isWord(after, 'without')) return undefined;
  cursor.next();
  const operator = AGGREGATION_OPERATORS.find((known) => known === name.text);
  if (operator === undefined) throw unexpected(name, 'aggregation');
  if (EXPERIMENTAL_AGGREGATIONS.includes(operator) && !state.isExperimental) {
    const how = 'must be enabled with --enable-feature=promql-experimental-functions';
    throw new ParseFault(rangeOf(name), `${operator}() is experimental and ${how}`, true);
  }
  let modifier = parseGrouping(state);
  if (!isWord(cursor.peek(), '(')) throw unexpected(cursor.peek(), 'aggregation');
  const args = parseArguments(state);
  modifier ??= parseGrouping(state);
  const range = { start: name.start, end: cursor.lastEnd };
  return aggregationOf(operator, args, modifier, range);
}

function aggregationOf(
  operator: AggregationOperator,
  args: readonly Expression[],
  modifier: { grouping: string[]; isWithout: boolean } | undefined,
  range: Aggregation['range'],
): Aggregation {
  if (args.length === 0) {
    throw new ParseFault(range, 'no arguments for aggregate expression provided');
  }
  const wanted = PARAMETRIC.includes(operator) ? 2 : 1;
  const expression = args[wanted - 1];
  if (expression === undefined || args.length !== wanted) {
    const message = 'wrong number of arguments for aggregate expression provided';
    throw new ParseFault(range, `${message}, expected ${wanted}, got ${args.length}`);
  }
  const { grouping, isWithout } = modifier ?? { grouping: [], isWithout: false };
  const parameter = wanted === 2 ? args[0] : undefined;
  return { kind: 'aggregation', operator, expression, parameter, grouping, isWithout, range };
}

function parseGrouping(state: ParserState): { grouping: string[]; isWithout: boolean } | undefined {
  const word = state.cursor.accept('by') ?? state.cursor.accept('without');
  if (word === undefined) return undefined;
  return { grouping: parseLabelList(state), isWithout: word.text === 'without' };
}

/** `(a, "b.c", by)`; a trailing comma is allowed. */
export function parseLabelList({ cursor }: ParserState): string[] {
  const context = 'grouping opts';
  cursor.expect('(', context, '"("');
  const labels: string[] = [];
  while (true) {
    if (cursor.accept(')') !== undefined) return labels;
    const token = cursor.peek();
    if (token.kind === 'string') {
      const name = stringValue(token);
      if (!isLabelName(name)) throw unexpected(token, context, 'label');
      labels.push(name);
    } else if (/^[a-zA-Z_]/.test(token.raw) && isLegacyLabelName(token.raw)) {
      labels.push(token.raw);
    } else throw unexpected(token, context, 'label');
    cursor.next();
    if (cursor.accept(')') !== undefined) return labels;
    cursor.expect(',', context, '"," or ")"');
  }
}

function parseSelector({ cursor }: ParserState): VectorSelector {
  const first = cursor.peek();
  const matchers: Matcher[] = [];
  let name = '';
  if (!isWord(first, '{')) {
    cursor.next();
    name = first.raw;
  }
  let quotedName: string | undefined;
  if (cursor.accept('{') !== undefined) {
    while (cursor.accept('}') === undefined) {
      const quoted = parseMatcher(cursor, matchers);
      if (quoted !== undefined) {
        if (name !== '' || quotedName !== undefined) {
          const both = `${quote(quotedName ?? name)} or ${quote(quoted)}`;
          const range = { start: first.start, end: cursor.lastEnd };
          throw new ParseFault(range, `metric name must not be set twice: ${both}`);
        }
        quotedName = quoted;
      }
      if (cursor.accept('}') !== undefined) break;
      cursor.expect(',', 'label matching', '"," or "}"');
    }
  }
  name = quotedName ?? name;
  const range = { start: first.start, end: cursor.lastEnd };
  if (name !== '') {
    const twice = matchers.find((matcher) => matcher.name === '__name__');
    if (twice !== undefined) {
      const both = `${quote(name)} or ${quote(twice.value)}`;
      throw new ParseFault(range, `metric name must not be set twice: ${both}`);
    }
    matchers.push({ name: '__name__', operator: '=', value: name });
  }
  return { kind: 'vector-selector', name, matchers, offsetMs: 0, range };
}

/** Adds a matcher; answers the name when a quoted metric name stands there instead. */
function parseMatcher(cursor: ParserState['cursor'], matchers: Matcher[]): string | undefined {
  const context = 'label matching';
  const label = cursor.next();
  if (label.kind !== 'identifier' && label.kind !== 'string') {
    throw unexpected(label, context, 'identifier or "}"');
  }
  const name = label.kind === 'string' ? stringValue(label) : label.text;
  const operator = cursor.peek();
  if (label.kind === 'string' && (isWord(operator, ',') || isWord(operator, '}'))) return name;
  if (!isMatchOperator(operator.text)) {
    throw unexpected(operator, context, 'label matching operator');
  }
  cursor.next();
  const value = cursor.peek();
  if (value.kind !== 'string') throw unexpected(value, context, 'string');
  cursor.next();
  if (!isLabelName(name)) throw unexpected(label, context, 'identifier or "}"');
  matchers.push({ name, operator: operator.text, value: stringValue(value) });
  return undefined;
}

const isMatchOperator = (text: string): text is Matcher['operator'] =>
  text === '=' || text === '!=' || text === '=~' || text === '!~';
