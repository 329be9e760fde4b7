import type {
  Aggregation,
  Binary,
  Expression,
  Subquery,
  VectorMatching,
  VectorSelector,
} from '../parse/ast.ts';
import { type DurationExpression, printDuration } from '../parse/duration-expression.ts';
import { formatDuration, formatFloat } from '../parse/numbers.ts';
import { isLegacyLabelName, isLegacyMetricName, quote } from '../parse/quoting.ts';

/** A node that fits in this many characters stays on one line, as in Prometheus. */
const LINE_MAX = 100;
const INDENT = '  ';

/** The expression on one line; parsing it again gives the same expression. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'number':
      return expression.isDuration
        ? formatDuration(expression.value * 1000)
        : formatFloat(expression.value);
    case 'string':
      return quote(expression.value);
    case 'vector-selector':
      return printSelector(expression) + printTimes(expression);
    case 'matrix-selector': {
      const { selector, rangeMs, duration } = expression;
      return `${printSelector(selector)}[${written(duration, rangeMs)}]${printTimes(selector)}`;
    }
    case 'subquery':
      return printExpression(expression.expression) + printSubqueryTail(expression);
    case 'call':
      return `${expression.signature.name}(${expression.args.map(printExpression).join(', ')})`;
    case 'aggregation': {
      const { parameter, expression: inner } = expression;
      const args = parameter === undefined ? [inner] : [parameter, inner];
      return `${printAggregationHead(expression)}(${args.map(printExpression).join(', ')})`;
    }
    case 'binary': {
      const { left, right } = expression;
      return `${printExpression(left)} ${printOperator(expression)} ${printExpression(right)}`;
    }
    case 'unary':
      return expression.operator + printExpression(expression.expression);
    case 'parentheses':
      return `(${printExpression(expression.expression)})`;
  }
}

/** Split over lines where a node is longer than a line, as Prometheus's `format_query` does. */
export function formatExpression(expression: Expression, level = 0): string {
  const indent = INDENT.repeat(level);
  const oneLine = printExpression(expression);
  if (oneLine.length <= LINE_MAX) return indent + oneLine;
  const inner = (node: Expression): string => formatExpression(node, level + 1);
  switch (expression.kind) {
    case 'number':
    case 'string':
    case 'vector-selector':
    case 'matrix-selector':
      return indent + oneLine;
    case 'subquery':
      return formatExpression(expression.expression, level) + printSubqueryTail(expression);
    case 'call': {
      const args = expression.args.map(inner).join(',\n');
      return `${indent}${expression.signature.name}(\n${args}\n${indent})`;
    }
    case 'aggregation': {
      const { parameter, expression: over } = expression;
      const args = (parameter === undefined ? [over] : [parameter, over]).map(inner).join(',\n');
      return `${indent}${printAggregationHead(expression)}(\n${args}\n${indent})`;
    }
    case 'binary': {
      const operator = `${INDENT.repeat(level)}${printOperator(expression)}`;
      return `${inner(expression.left)}\n${operator}\n${inner(expression.right)}`;
    }
    case 'unary':
      return `${indent}${expression.operator}${formatExpression(expression.expression, level).trimStart()}`;
    case 'parentheses':
      return `${indent}(\n${inner(expression.expression)}\n${indent})`;
  }
}

const label = (name: string): string => (isLegacyLabelName(name) ? name : quote(name));
const labelList = (names: readonly string[]): string => names.map(label).join(', ');

function printSelector({ name, matchers }: VectorSelector): string {
  const shown = matchers
    .filter(
      (matcher) =>
        !(matcher.name === '__name__' && matcher.operator === '=' && matcher.value === name) ||
        name === '',
    )
    .map((matcher) => `${label(matcher.name)}${matcher.operator}${quote(matcher.value)}`);
  if (name !== '' && !isLegacyMetricName(name)) return `{${[quote(name), ...shown].join(',')}}`;
  return shown.length === 0 ? name || '{}' : `${name}{${shown.join(',')}}`;
}

const written = (duration: DurationExpression | undefined, ms: number): string =>
  duration === undefined ? formatDuration(ms) : printDuration(duration);

function printTimes(node: VectorSelector | Subquery): string {
  const { at, offsetMs, offset } = node;
  const extension =
    node.kind === 'vector-selector' && node.extension !== undefined ? ` ${node.extension}` : '';
  const isMoved = offsetMs !== 0 || offset !== undefined;
  const moved = isMoved ? ` offset ${written(offset, offsetMs)}` : '';
  const time = at?.kind === 'time' ? (at.timeMs / 1000).toFixed(3) : `${at?.kind ?? ''}()`;
  return extension + (at === undefined ? '' : ` @ ${time}`) + moved;
}

function printSubqueryTail(node: Subquery): string {
  const step = node.stepMs === 0 && node.step === undefined ? '' : written(node.step, node.stepMs);
  return `[${written(node.duration, node.rangeMs)}:${step}]${printTimes(node)}`;
}

function printAggregationHead({ operator, isWithout, grouping }: Aggregation): string {
  if (isWithout) return `${operator} without (${labelList(grouping)}) `;
  return grouping.length > 0 ? `${operator} by (${labelList(grouping)}) ` : operator;
}

function printOperator({ operator, isBool, matching }: Binary): string {
  return operator + (isBool ? ' bool' : '') + printMatching(matching);
}

function printMatching(matching: VectorMatching | undefined): string {
  if (matching === undefined) return '';
  const { cardinality, isOn, labels, include, fillLeft, fillRight } = matching;
  let text = '';
  const isGrouped = cardinality === 'many-to-one' || cardinality === 'one-to-many';
  if (labels.length > 0 || isOn || isGrouped) {
    text += ` ${isOn ? 'on' : 'ignoring'} (${labelList(labels)})`;
  }
  if (isGrouped) {
    const word = cardinality === 'many-to-one' ? 'group_left' : 'group_right';
    text += ` ${word} (${labelList(include)})`;
  }
  if (fillLeft !== undefined && Object.is(fillLeft, fillRight)) {
    return `${text} fill (${formatFloat(fillLeft)})`;
  }
  if (fillLeft !== undefined) text += ` fill_left (${formatFloat(fillLeft)})`;
  if (fillRight !== undefined) text += ` fill_right (${formatFloat(fillRight)})`;
  return text;
}
