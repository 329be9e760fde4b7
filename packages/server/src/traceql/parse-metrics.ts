import { labelOf } from './names.ts';
import type { FieldParser } from './parse-field.ts';
import {
  type CompareStage,
  type ComparisonOperator,
  type Field,
  METRICS_FUNCTIONS,
  type MetricsFunction,
  type MetricsStage,
  type SeriesStage,
} from './syntax.ts';
import type { TokenCursor } from './token-cursor.ts';
import type { Token } from './tokens.ts';

const COMPARISONS: readonly ComparisonOperator[] = ['=', '!=', '<', '<=', '>', '>='];
/** Fields that series are grouped by. */
const GROUPING_MAX = 5;
const SERIES_MAX = 1_000;
/** Of each attribute, where a comparison does not say how many. */
const COMPARED_VALUES = 10;

export function metricsFunction(token: Token): MetricsFunction | 'compare' | undefined {
  const names = [...METRICS_FUNCTIONS, 'compare'] as const;
  return names.find((one) => one === token.text && token.kind === 'word');
}

/**
 * What makes numbers over time of the spans found: `rate() by (name) | topk(5)`. The cursor stands
 * on the function. Source: Tempo's documentation, "TraceQL metrics functions".
 */
export function parseMetrics(
  cursor: TokenCursor,
  fields: FieldParser,
  name: MetricsFunction,
): MetricsStage {
  cursor.next();
  cursor.expect('(');
  const field = name === 'rate' || name === 'count_over_time' ? undefined : numeric(name);
  const quantiles = name === 'quantile_over_time' ? quantileList(cursor) : [];
  cursor.expect(')');
  const by = grouping(cursor, fields);
  const then: SeriesStage[] = [];
  for (let stage = seriesStage(cursor); stage !== undefined; stage = seriesStage(cursor)) {
    then.push(stage);
  }
  return { name, field, quantiles, by, then };

  function numeric(who: string): Field {
    const token = cursor.peek();
    const found = fields.sum();
    cursor.mustBe(found, ['number', 'any'], token, `${who}() takes`);
    return found;
  }
}

/** `compare({…})`, and behind the filter how many values and a time range in unix nanoseconds. */
export function parseCompare(cursor: TokenCursor, filter: () => Field): CompareStage {
  cursor.next();
  cursor.expect('(');
  const selection = filter();
  const numbers: number[] = [];
  while (cursor.take(',')) {
    const token = cursor.next();
    if (token.kind !== 'number' || !Number.isInteger(token.number) || token.number <= 0) {
      throw cursor.unexpected(token, 'a whole number above 0');
    }
    if (numbers.length === 0 && token.number > SERIES_MAX) {
      throw cursor.unexpected(token, `a number from 1 to ${SERIES_MAX}`);
    }
    numbers.push(token.number);
  }
  const [valuesMax = COMPARED_VALUES, fromNs, toNs] = numbers;
  const isRange = fromNs !== undefined && toNs !== undefined && fromNs < toNs;
  if (numbers.length > 3 || (numbers.length > 1 && !isRange)) {
    const wanted = 'compare() takes a filter, a number of values, and a start and a later end';
    throw cursor.error(wanted, cursor.last());
  }
  cursor.expect(')');
  const [fromUs, toUs] = isRange ? [fromNs / 1e3, toNs / 1e3] : [-Infinity, Infinity];
  return { name: 'compare', selection, valuesMax, fromUs, toUs };
}

function quantileList(cursor: TokenCursor): readonly number[] {
  const quantiles: number[] = [];
  do {
    cursor.expect(',');
    const token = cursor.next();
    if (token.kind !== 'number' || token.number < 0 || token.number > 1) {
      throw cursor.unexpected(token, 'a quantile from 0 to 1');
    }
    quantiles.push(token.number);
  } while (cursor.isSymbol(','));
  return quantiles;
}

function grouping(cursor: TokenCursor, fields: FieldParser): MetricsStage['by'] {
  const token = cursor.peek();
  if (token.kind !== 'word' || token.text !== 'by') return [];
  cursor.next();
  cursor.expect('(');
  const by: { field: Field; label: string }[] = [];
  do {
    const field = fields.sum();
    by.push({ field, label: labelOf(field) });
  } while (cursor.take(','));
  if (by.length > GROUPING_MAX) {
    throw cursor.error(`by() takes at most ${GROUPING_MAX} fields, these are ${by.length}`, token);
  }
  cursor.expect(')');
  return by;
}

/** `| topk(5)`, `| bottomk(5)` or a comparison; undefined: no more of them. */
function seriesStage(cursor: TokenCursor): SeriesStage | undefined {
  const token = cursor.peek();
  const operator = COMPARISONS.find((one) => one === token.text && token.kind === 'symbol');
  if (operator !== undefined) {
    cursor.next();
    return { kind: 'threshold', operator, value: threshold(cursor) };
  }
  if (!cursor.take('|')) return undefined;
  const name = cursor.next();
  if (name.kind !== 'word' || (name.text !== 'topk' && name.text !== 'bottomk')) {
    throw cursor.unexpected(name, 'topk(n) or bottomk(n)');
  }
  cursor.expect('(');
  const count = cursor.next();
  const isCount = count.kind === 'number' && Number.isInteger(count.number) && count.number > 0;
  if (!isCount || count.number > SERIES_MAX) {
    throw cursor.unexpected(count, `a number from 1 to ${SERIES_MAX}`);
  }
  cursor.expect(')');
  return { kind: name.text, count: count.number };
}

function threshold(cursor: TokenCursor): number {
  const sign = cursor.take('-') ? -1 : 1;
  const token = cursor.next();
  if (token.kind === 'number') return sign * token.number;
  if (token.kind === 'duration') return (sign * token.number) / 1e9;
  throw cursor.unexpected(token, 'a number');
}
