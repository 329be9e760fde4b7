import { endsOf, quoteString, type Scope, writeName, writeNumber } from './scope.ts';
import type { Expression } from './syntax.ts';
import { SqlError } from './tokens.ts';
import { writeCall } from './write-call.ts';

type BinaryExpression = Extract<Expression, { kind: 'binary' }>;

/** ClickHouse's SQL of an expression. Throws `SqlError` for a name or a function that there is not. */
export function writeExpression(value: Expression, scope: Scope): string {
  const write = (inner: Expression): string => writeExpression(inner, scope);
  switch (value.kind) {
    case 'number':
      return writeNumber(value.text, value.position);
    case 'string':
      return quoteString(value.value);
    case 'name':
      return writeName(value.name, value.position, scope);
    case 'star':
      throw new SqlError('* stands alone in a select list', value.position, 'name the columns');
    case 'call':
      return writeCall(value, scope, write);
    case 'unary':
      return value.operator === 'NOT'
        ? `(NOT ${write(value.value)})`
        : `(-(${write(value.value)}))`;
    case 'binary':
      return writeBinary(value, scope);
    case 'in': {
      const list = value.list.map(write).join(', ');
      const test = (tag: string): string => `(${tag} IN (${list}))`;
      return negated(atEitherEnd(value.value, scope, test), value.isNegated);
    }
    case 'match': {
      const pattern = quoteString(
        value.how === 'LIKE' ? likePattern(value.pattern) : value.pattern,
      );
      const test = (tag: string): string =>
        value.how === 'LIKE'
          ? `(toString(${tag}) LIKE ${pattern})`
          : `match(toString(${tag}), ${pattern})`;
      return negated(atEitherEnd(value.value, scope, test), value.isNegated);
    }
  }
}

function writeBinary({ left, right, operator }: BinaryExpression, scope: Scope): string {
  const other = writeExpression(right, scope);
  if (operator === 'AND' || operator === 'OR') {
    return `(${writeExpression(left, scope)} ${operator} ${other})`;
  }
  if (operator !== '!=') {
    return atEitherEnd(left, scope, (tag) => `(${tag} ${operator} ${other})`);
  }
  const ends = left.kind === 'name' ? endsOf(left.name, scope) : undefined;
  if (ends === undefined) return `(${writeExpression(left, scope)} != ${other})`;
  return negated(
    atEitherEnd(left, scope, (tag) => `(${tag} = ${other})`),
    true,
  );
}

/** A condition on a tag without its suffix holds where it holds at the client's or the server's end. */
function atEitherEnd(value: Expression, scope: Scope, test: (tag: string) => string): string {
  const ends = value.kind === 'name' ? endsOf(value.name, scope) : undefined;
  if (ends === undefined) return test(writeExpression(value, scope));
  return `(${ends.map((end) => test(writeName(end, value.position, scope))).join(' OR ')})`;
}

const negated = (test: string, isNegated: boolean): string => (isNegated ? `(NOT ${test})` : test);

/** `*` is any text, as in DeepFlow; `%` and `_` keep ClickHouse's meaning. */
function likePattern(pattern: string): string {
  return pattern.replaceAll('*', '%');
}
