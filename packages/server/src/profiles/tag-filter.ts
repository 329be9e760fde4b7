import { parseCondition } from '../query/parse.ts';
import type { Expression } from '../query/syntax.ts';
import { SqlError } from '../query/tokens.ts';
import { tagSql } from './profile-filter.ts';

type Params = Record<string, string | number | readonly (string | number)[]>;

const ORDERS = ['<', '<=', '>', '>='];

/**
 * A condition as DeepFlow's SQL writes it (`pod = 'a' AND (zone IN ('x', 'y') OR NOT v LIKE 'b*')`)
 * over tags and columns of samples. Texts go into `params`. Throws `SqlError` with its place.
 */
export function tagCondition(text: string, params: Params): string {
  let count = 0;
  const param = (value: string): string => {
    count += 1;
    params[`t${count}`] = value;
    return `{t${count}:String}`;
  };

  function write(one: Expression): string {
    switch (one.kind) {
      case 'unary':
        if (one.operator === 'NOT') return `NOT (${write(one.value)})`;
        break;
      case 'binary':
        if (one.operator === 'AND' || one.operator === 'OR') {
          return `(${write(one.left)} ${one.operator} ${write(one.right)})`;
        }
        return comparison(one);
      case 'in': {
        const list = one.list.map((value) => param(literal(value)));
        return negated(`${tag(one.value)} IN (${list.join(', ')})`, one.isNegated);
      }
      case 'match': {
        const isLike = one.how === 'LIKE';
        const pattern = param(isLike ? one.pattern.replaceAll('*', '%') : one.pattern);
        const name = tag(one.value);
        const test = isLike ? `${name} LIKE ${pattern}` : `match(${name}, ${pattern})`;
        return negated(test, one.isNegated);
      }
      default:
    }
    throw mistake(one);
  }

  function comparison(one: Extract<Expression, { kind: 'binary' }>): string {
    const { operator, left, right } = one;
    if (operator === '=' || operator === '!=') {
      return `${tag(left)} ${operator} ${param(literal(right))}`;
    }
    if (!ORDERS.includes(operator)) throw mistake(one);
    const value = param(literal(right));
    return `toFloat64OrNull(${tag(left)}) ${operator} toFloat64OrNull(${value})`;
  }

  function tag(one: Expression): string {
    if (one.kind !== 'name') throw mistake(one);
    const name = one.name.replace(/^tag\./, '');
    count += 1;
    return tagSql(name, `t${count}`, params);
  }

  return write(parseCondition(text));
}

const negated = (test: string, isNegated: boolean): string =>
  isNegated ? `NOT (${test})` : `(${test})`;

function literal(one: Expression): string {
  if (one.kind === 'string') return one.value;
  if (one.kind === 'number') return one.text;
  throw mistake(one);
}

function mistake(one: Expression): SqlError {
  return new SqlError(
    'a condition compares a tag with a text or a number',
    one.position,
    "write name = 'value', IN, LIKE, REGEXP, AND, OR, NOT",
  );
}
