import { RE2JS } from 're2js';
import { attributeOf, intrinsicOf, labelOf, literalOf, SCOPES, typeOf } from './names.ts';
import type {
  AggregateName,
  ArithmeticOperator,
  ComparisonOperator,
  Field,
  Relation,
  Scalar,
  Spansets,
  Stage,
  StaticType,
  TraceqlQuery,
} from './syntax.ts';
import { type Token, TraceqlError, tokenize } from './tokens.ts';

const DEPTH_MAX = 64;
const AGGREGATES: readonly AggregateName[] = ['count', 'avg', 'min', 'max', 'sum'];
const COMPARISONS: readonly ComparisonOperator[] = ['=', '!=', '<', '<=', '>', '>='];
const RELATIONS: readonly Relation[] = ['>', '>>', '<', '<<', '~'];

/** Parses and checks a query. Throws `TraceqlError` at the first mistake. */
export function parseTraceql(text: string): TraceqlQuery {
  const parser = new Parser(text);
  const stages = parser.stages();
  parser.end();
  return { stages };
}

/** Recursive descent; a class for the position that the rules share. */
class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  stages(): Stage[] {
    const stages = [this.#stage(true)];
    while (this.#take('|')) stages.push(this.#stage(false));
    return stages;
  }

  end(): void {
    const token = this.#peek();
    if (token.kind !== 'end') throw this.#unexpected(token);
  }

  #stage(isFirst: boolean): Stage {
    const token = this.#peek();
    if (token.kind === 'symbol' && token.text === '{') {
      return { kind: 'spansets', spansets: this.#alternatives() };
    }
    if (token.kind === 'symbol' && token.text === '(' && !this.#isScalarAhead()) {
      return { kind: 'spansets', spansets: this.#alternatives() };
    }
    if (isFirst && token.kind === 'end') throw this.#unexpected(token, 'a filter such as { }');
    if (!isFirst && token.kind === 'word') {
      if (token.text === 'by') return this.#by();
      if (token.text === 'select') return this.#select();
      if (token.text === 'coalesce') {
        this.#next();
        this.#expect('(');
        this.#expect(')');
        return { kind: 'coalesce' };
      }
    }
    return this.#scalarFilter();
  }

  /** After `(`: an aggregate or a number, not a filter. */
  #isScalarAhead(): boolean {
    let at = this.#at;
    while (this.#tokens[at]?.text === '(' && this.#tokens[at]?.kind === 'symbol') at += 1;
    const token = this.#tokens[at];
    if (token === undefined) return false;
    return token.kind !== 'symbol' || (token.text !== '{' && token.text !== '(');
  }

  #by(): Stage {
    this.#next();
    this.#expect('(');
    const { field, label } = this.#labelled();
    this.#expect(')');
    return { kind: 'by', field, label };
  }

  #select(): Stage {
    this.#next();
    this.#expect('(');
    const fields = [this.#labelled()];
    while (this.#take(',')) fields.push(this.#labelled());
    this.#expect(')');
    return { kind: 'select', fields };
  }

  #labelled(): { field: Field; label: string } {
    const field = this.#sum();
    return { field, label: labelOf(field) };
  }

  #scalarFilter(): Stage {
    const left = this.#scalarSum();
    const token = this.#next();
    const operator = COMPARISONS.find((one) => one === token.text && token.kind === 'symbol');
    if (operator === undefined) {
      throw this.#unexpected(token, 'a comparison such as > 2');
    }
    return { kind: 'scalar', operator, left, right: this.#scalarSum() };
  }

  #scalarSum(): Scalar {
    let left = this.#scalarProduct();
    for (let operator = this.#arithmetic('+-'); operator; operator = this.#arithmetic('+-')) {
      left = { kind: 'arithmetic', operator, left, right: this.#scalarProduct() };
    }
    return left;
  }

  #scalarProduct(): Scalar {
    let left = this.#scalarUnit();
    for (let operator = this.#arithmetic('*/%^'); operator; operator = this.#arithmetic('*/%^')) {
      left = { kind: 'arithmetic', operator, left, right: this.#scalarUnit() };
    }
    return left;
  }

  #scalarUnit(): Scalar {
    const token = this.#next();
    if (token.kind === 'number' || token.kind === 'duration') {
      return { kind: 'number', value: token.number };
    }
    if (token.kind === 'symbol' && token.text === '-') {
      const right = this.#scalarUnit();
      return { kind: 'arithmetic', operator: '-', left: { kind: 'number', value: 0 }, right };
    }
    if (token.kind === 'symbol' && token.text === '(') {
      const inner = this.#deeper(() => this.#scalarSum());
      this.#expect(')');
      return inner;
    }
    const name = AGGREGATES.find((one) => one === token.text && token.kind === 'word');
    if (name === undefined) {
      throw this.#unexpected(token, `one of ${AGGREGATES.join(', ')}, by, select, coalesce`);
    }
    this.#expect('(');
    const field = name === 'count' ? undefined : this.#sum();
    if (field !== undefined) this.#mustBe(field, ['number', 'any'], token, `${name}() takes`);
    this.#expect(')');
    return { kind: 'aggregate', name, field };
  }

  #alternatives(): Spansets {
    let left = this.#conjunction();
    while (this.#take('||')) {
      left = { kind: 'combine', operator: '||', left, right: this.#conjunction() };
    }
    return left;
  }

  #conjunction(): Spansets {
    let left = this.#relations();
    while (this.#take('&&')) {
      left = { kind: 'combine', operator: '&&', left, right: this.#relations() };
    }
    return left;
  }

  #relations(): Spansets {
    let left = this.#spansetUnit();
    for (;;) {
      const token = this.#peek();
      const how = token.text.startsWith('!')
        ? 'not'
        : token.text.startsWith('&')
          ? 'union'
          : 'plain';
      const bare = how === 'plain' ? token.text : token.text.slice(1);
      const relation = RELATIONS.find((one) => one === bare && token.kind === 'symbol');
      if (relation === undefined) return left;
      this.#next();
      left = { kind: 'relate', relation, how, left, right: this.#spansetUnit() };
    }
  }

  #spansetUnit(): Spansets {
    if (this.#take('(')) {
      const stages = this.#deeper(() => this.stages());
      this.#expect(')');
      return { kind: 'pipeline', stages };
    }
    this.#expect('{');
    if (this.#take('}')) {
      return { kind: 'filter', field: { kind: 'literal', type: 'boolean', value: true } };
    }
    const token = this.#peek();
    const field = this.#condition();
    this.#mustBe(field, ['boolean', 'any'], token, 'a filter is');
    this.#expect('}');
    return { kind: 'filter', field };
  }

  #condition(): Field {
    return this.#deeper(() => {
      let left = this.#both();
      while (this.#isSymbol('||')) left = this.#logical('||', left, () => this.#both());
      return left;
    });
  }

  #both(): Field {
    let left = this.#comparison();
    while (this.#isSymbol('&&')) left = this.#logical('&&', left, () => this.#comparison());
    return left;
  }

  #logical(operator: '&&' | '||', left: Field, rest: () => Field): Field {
    const token = this.#next();
    const right = rest();
    for (const side of [left, right])
      this.#mustBe(side, ['boolean', 'any'], token, `${operator} takes`);
    return { kind: 'logical', operator, left, right };
  }

  #comparison(): Field {
    const left = this.#sum();
    const token = this.#peek();
    if (this.#take('=~')) return this.#match(left, token, false);
    if (this.#take('!~')) return this.#match(left, token, true);
    const operator = COMPARISONS.find((one) => one === token.text && token.kind === 'symbol');
    if (operator === undefined) return left;
    this.#next();
    const right = this.#sum();
    this.#checkComparison(operator, typeOf(left), typeOf(right), token);
    return { kind: 'compare', operator, left, right };
  }

  #match(value: Field, operator: Token, isNegated: boolean): Field {
    this.#mustBe(value, ['string', 'any'], operator, `${operator.text} takes`);
    const token = this.#next();
    if (token.kind !== 'string') throw this.#unexpected(token, 'a regular expression in quotes');
    try {
      const compiled = RE2JS.compile(token.text);
      const matches = (text: string): boolean => compiled.matches(text);
      return { kind: 'match', isNegated, value, pattern: token.text, matches };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new TraceqlError(reason, this.#text, token.position);
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
    throw new TraceqlError(reason, this.#text, token.position);
  }

  #sum(): Field {
    let left = this.#product();
    for (let operator = this.#arithmetic('+-'); operator; operator = this.#arithmetic('+-')) {
      left = this.#calculated(operator, left, this.#product());
    }
    return left;
  }

  #product(): Field {
    let left = this.#power();
    for (let operator = this.#arithmetic('*/%'); operator; operator = this.#arithmetic('*/%')) {
      left = this.#calculated(operator, left, this.#power());
    }
    return left;
  }

  #power(): Field {
    const left = this.#unary();
    if (this.#arithmetic('^') === undefined) return left;
    return this.#calculated(
      '^',
      left,
      this.#deeper(() => this.#power()),
    );
  }

  #calculated(operator: ArithmeticOperator, left: Field, right: Field): Field {
    const token = this.#tokens[this.#at - 1] ?? this.#peek();
    for (const side of [left, right])
      this.#mustBe(side, ['number', 'any'], token, `${operator} takes`);
    return { kind: 'arithmetic', operator, left, right };
  }

  #unary(): Field {
    const token = this.#peek();
    if (this.#take('-')) {
      const value = this.#deeper(() => this.#unary());
      this.#mustBe(value, ['number', 'any'], token, '- takes');
      return { kind: 'negative', value };
    }
    if (this.#take('!')) {
      const value = this.#deeper(() => this.#unary());
      this.#mustBe(value, ['boolean', 'any'], token, '! takes');
      return { kind: 'not', value };
    }
    if (this.#take('(')) {
      const inner = this.#condition();
      this.#expect(')');
      return inner;
    }
    return this.#term();
  }

  #term(): Field {
    const token = this.#next();
    if (token.kind === 'string') return { kind: 'literal', type: 'string', value: token.text };
    if (token.kind === 'number' || token.kind === 'duration') {
      return { kind: 'literal', type: 'number', value: token.number };
    }
    if (token.kind === 'symbol' && token.text === '.') {
      return { kind: 'attribute', scope: 'any', name: this.#attributeName(), ofParent: false };
    }
    if (token.kind !== 'word')
      throw this.#unexpected(token, 'a value, an attribute or an intrinsic');
    return this.#named(token, false);
  }

  /** `duration`, `span:duration`, `span.x`, `parent.x`, `true`, `error`, … */
  #named(token: Token, ofParent: boolean): Field {
    const isScope = SCOPES.has(token.text);
    if (this.#isSymbol('.') && isScope) {
      this.#next();
      if (token.text !== 'parent') return attributeOf(token.text, this.#attributeName(), ofParent);
      const inner = this.#peek();
      if (
        inner.kind === 'word' &&
        SCOPES.has(inner.text) &&
        this.#tokens[this.#at + 1]?.text === '.'
      ) {
        return this.#named(this.#next(), true);
      }
      return attributeOf('parent', this.#attributeName(), true);
    }
    if (this.#isSymbol(':')) {
      this.#next();
      const name = `${token.text}:${this.#next().text}`;
      const scoped = intrinsicOf(name, ofParent);
      if (scoped !== undefined) return scoped;
      throw new TraceqlError(`unknown intrinsic ${name}`, this.#text, token.position);
    }
    const known = literalOf(token.text) ?? intrinsicOf(token.text, ofParent);
    if (known !== undefined) return known;
    throw new TraceqlError(
      `unknown identifier ${token.text}; an attribute is .${token.text}, span.${token.text} or resource.${token.text}`,
      this.#text,
      token.position,
    );
  }

  /** Everything that may stand in an attribute's name, until a space or an operator. */
  #attributeName(): string {
    const first = this.#peek();
    if (first.kind === 'string') return this.#next().text;
    let name = '';
    for (;;) {
      const token = this.#peek();
      const isPart =
        token.kind === 'word' ||
        token.kind === 'number' ||
        token.kind === 'duration' ||
        (token.kind === 'symbol' &&
          (token.text === '.' || token.text === '-' || token.text === '/'));
      if (!isPart || (name !== '' && token.isSpaced)) break;
      name += this.#next().text;
    }
    if (name === '') throw this.#unexpected(first, "an attribute's name");
    return name;
  }

  #arithmetic(operators: string): ArithmeticOperator | undefined {
    const token = this.#peek();
    if (token.kind !== 'symbol' || token.text.length !== 1 || !operators.includes(token.text)) {
      return undefined;
    }
    this.#next();
    return token.text as ArithmeticOperator; // One of `operators`, which are all of this type.
  }

  #mustBe(field: Field, types: readonly StaticType[], token: Token, who: string): void {
    const type = typeOf(field);
    if (types.includes(type)) return;
    throw new TraceqlError(`${who} ${types[0]}, this is ${type}`, this.#text, token.position);
  }

  #deeper<Answer>(rule: () => Answer): Answer {
    if (++this.#depth > DEPTH_MAX) {
      throw new TraceqlError(`nested deeper than ${DEPTH_MAX}`, this.#text, this.#peek().position);
    }
    const answer = rule();
    this.#depth -= 1;
    return answer;
  }

  #isSymbol(text: string): boolean {
    const token = this.#peek();
    return token.kind === 'symbol' && token.text === text;
  }

  #take(text: string): boolean {
    if (!this.#isSymbol(text)) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(this.#peek(), `"${text}"`);
  }

  #peek(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Error('BUG: read past the end token');
    return token;
  }

  #next(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  #unexpected(token: Token, wanted = 'the end'): TraceqlError {
    const what = token.kind === 'end' ? 'the end' : JSON.stringify(token.text);
    return new TraceqlError(`unexpected ${what}, expected ${wanted}`, this.#text, token.position);
  }
}
