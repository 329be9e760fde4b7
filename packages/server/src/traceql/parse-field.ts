import { RE2JS } from 're2js';
import { attributeOf, intrinsicOf, literalOf, SCOPES, typeOf } from './names.ts';
import type { ArithmeticOperator, ComparisonOperator, Field, StaticType } from './syntax.ts';
import type { TokenCursor } from './token-cursor.ts';
import type { Token } from './tokens.ts';

const COMPARISONS: readonly ComparisonOperator[] = ['=', '!=', '<', '<=', '>', '>='];

/** The rules of what stands between braces: an expression over one span. */
export class FieldParser {
  readonly #cursor: TokenCursor;

  constructor(cursor: TokenCursor) {
    this.#cursor = cursor;
  }

  condition(): Field {
    return this.#cursor.deeper(() => {
      let left = this.#both();
      while (this.#cursor.isSymbol('||')) left = this.#logical('||', left, () => this.#both());
      return left;
    });
  }

  #both(): Field {
    let left = this.#comparison();
    while (this.#cursor.isSymbol('&&')) left = this.#logical('&&', left, () => this.#comparison());
    return left;
  }

  #logical(operator: '&&' | '||', left: Field, rest: () => Field): Field {
    const token = this.#cursor.next();
    const right = rest();
    for (const side of [left, right])
      this.#cursor.mustBe(side, ['boolean', 'any'], token, `${operator} takes`);
    return { kind: 'logical', operator, left, right };
  }

  #comparison(): Field {
    const left = this.sum();
    const token = this.#cursor.peek();
    if (this.#cursor.take('=~')) return this.#match(left, token, false);
    if (this.#cursor.take('!~')) return this.#match(left, token, true);
    const operator = COMPARISONS.find((one) => one === token.text && token.kind === 'symbol');
    if (operator === undefined) return left;
    this.#cursor.next();
    const right = this.sum();
    this.#checkComparison(operator, typeOf(left), typeOf(right), token);
    return { kind: 'compare', operator, left, right };
  }

  #match(value: Field, operator: Token, isNegated: boolean): Field {
    this.#cursor.mustBe(value, ['string', 'any'], operator, `${operator.text} takes`);
    const token = this.#cursor.next();
    if (token.kind !== 'string')
      throw this.#cursor.unexpected(token, 'a regular expression in quotes');
    try {
      const compiled = RE2JS.compile(token.text);
      const matches = (text: string): boolean => compiled.matches(text);
      return { kind: 'match', isNegated, value, pattern: token.text, matches };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw this.#cursor.error(reason, token);
    }
  }

  #checkComparison(
    operator: ComparisonOperator,
    left: StaticType,
    right: StaticType,
    token: Token,
  ): void {
    const known = [left, right].filter((type) => type !== 'any' && type !== 'nil');
    const isEquality = operator === '=' || operator === '!=';
    const isFit =
      (known.length < 2 || known[0] === known[1]) &&
      (isEquality || known.every((type) => type === 'number' || type === 'string')) &&
      (isEquality || (left !== 'nil' && right !== 'nil'));
    if (isFit) return;
    const reason = `${operator} cannot compare ${left} with ${right}`;
    throw this.#cursor.error(reason, token);
  }

  /** An expression without comparison: what aggregates, by() and select() take. */
  sum(): Field {
    let left = this.#product();
    for (
      let operator = this.#cursor.arithmetic('+-');
      operator;
      operator = this.#cursor.arithmetic('+-')
    ) {
      left = this.#calculated(operator, left, this.#product());
    }
    return left;
  }

  #product(): Field {
    let left = this.#power();
    for (
      let operator = this.#cursor.arithmetic('*/%');
      operator;
      operator = this.#cursor.arithmetic('*/%')
    ) {
      left = this.#calculated(operator, left, this.#power());
    }
    return left;
  }

  #power(): Field {
    const left = this.#unary();
    if (this.#cursor.arithmetic('^') === undefined) return left;
    return this.#calculated(
      '^',
      left,
      this.#cursor.deeper(() => this.#power()),
    );
  }

  #calculated(operator: ArithmeticOperator, left: Field, right: Field): Field {
    const token = this.#cursor.last();
    for (const side of [left, right])
      this.#cursor.mustBe(side, ['number', 'any'], token, `${operator} takes`);
    return { kind: 'arithmetic', operator, left, right };
  }

  #unary(): Field {
    const token = this.#cursor.peek();
    if (this.#cursor.take('-')) {
      const value = this.#cursor.deeper(() => this.#unary());
      this.#cursor.mustBe(value, ['number', 'any'], token, '- takes');
      return { kind: 'negative', value };
    }
    if (this.#cursor.take('!')) {
      const value = this.#cursor.deeper(() => this.#unary());
      this.#cursor.mustBe(value, ['boolean', 'any'], token, '! takes');
      return { kind: 'not', value };
    }
    if (this.#cursor.take('(')) {
      const inner = this.condition();
      this.#cursor.expect(')');
      return inner;
    }
    return this.#term();
  }

  #term(): Field {
    const token = this.#cursor.next();
    if (token.kind === 'string') return { kind: 'literal', type: 'string', value: token.text };
    if (token.kind === 'number' || token.kind === 'duration') {
      return { kind: 'literal', type: 'number', value: token.number };
    }
    if (token.kind === 'symbol' && token.text === '.') {
      return { kind: 'attribute', scope: 'any', name: this.#attributeName(), ofParent: false };
    }
    if (token.kind !== 'word')
      throw this.#cursor.unexpected(token, 'a value, an attribute or an intrinsic');
    return this.#named(token, false);
  }

  /** `duration`, `span:duration`, `span.x`, `parent.x`, `true`, `error`, … */
  #named(token: Token, ofParent: boolean): Field {
    const isScope = SCOPES.has(token.text);
    if (this.#cursor.isSymbol('.') && isScope) {
      this.#cursor.next();
      if (token.text !== 'parent') return attributeOf(token.text, this.#attributeName(), ofParent);
      const inner = this.#cursor.peek();
      const isIntrinsic = this.#cursor.ahead(1)?.text === ':';
      const isScoped = SCOPES.has(inner.text) && this.#cursor.ahead(1)?.text === '.';
      if (inner.kind === 'word' && (isScoped || isIntrinsic)) {
        return this.#named(this.#cursor.next(), true);
      }
      return attributeOf('parent', this.#attributeName(), true);
    }
    if (this.#cursor.isSymbol(':')) {
      this.#cursor.next();
      const name = `${token.text}:${this.#cursor.next().text}`;
      const scoped = intrinsicOf(name, ofParent);
      if (scoped !== undefined) return scoped;
      throw this.#cursor.error(`unknown intrinsic ${name}`, token);
    }
    const known = literalOf(token.text) ?? intrinsicOf(token.text, ofParent);
    if (known !== undefined) return known;
    throw this.#cursor.error(
      `unknown identifier ${token.text}; an attribute is .${token.text}, span.${token.text} or resource.${token.text}`,
      token,
    );
  }

  /** Everything that may stand in an attribute's name, until a space or an operator. */
  #attributeName(): string {
    const first = this.#cursor.peek();
    if (first.kind === 'string') return this.#cursor.next().text;
    let name = '';
    for (;;) {
      const token = this.#cursor.peek();
      const isPart =
        token.kind === 'word' ||
        token.kind === 'number' ||
        token.kind === 'duration' ||
        (token.kind === 'symbol' &&
          (token.text === '.' || token.text === '-' || token.text === '/'));
      if (!isPart || (name !== '' && token.isSpaced)) break;
      name += this.#cursor.next().text;
    }
    if (name === '') throw this.#cursor.unexpected(first, "an attribute's name");
    return name;
  }
}
