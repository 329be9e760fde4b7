import { labelOf } from './names.ts';
import { FieldParser } from './parse-field.ts';
import { metricsFunction, parseCompare, parseMetrics } from './parse-metrics.ts';
import type {
  AggregateName,
  CompareStage,
  ComparisonOperator,
  Field,
  MetricsStage,
  Relation,
  Scalar,
  Spansets,
  Stage,
  TraceqlQuery,
} from './syntax.ts';
import { TokenCursor } from './token-cursor.ts';
import type { Token } from './tokens.ts';

const AGGREGATES: readonly AggregateName[] = ['count', 'avg', 'min', 'max', 'sum'];
const COMPARISONS: readonly ComparisonOperator[] = ['=', '!=', '<', '<=', '>', '>='];
const RELATIONS: readonly Relation[] = ['>', '>>', '<', '<<', '~'];

/** Parses and checks a query. Throws `TraceqlError` at the first mistake. */
export function parseTraceql(text: string): TraceqlQuery {
  const parser = new Parser(text);
  const stages = parser.stages();
  const metrics = parser.metrics();
  parser.hints();
  parser.end();
  return metrics === undefined ? { stages } : { stages, metrics };
}

/** Recursive descent; a class for the position that the rules share. */
class Parser {
  readonly #cursor: TokenCursor;
  readonly #fields: FieldParser;

  constructor(text: string) {
    this.#cursor = new TokenCursor(text);
    this.#fields = new FieldParser(this.#cursor);
  }

  stages(): Stage[] {
    const stages = [this.#stage(true)];
    while (this.#cursor.isSymbol('|') && !this.#isMetricsAhead()) {
      this.#cursor.next();
      stages.push(this.#stage(false));
    }
    return stages;
  }

  #isMetricsAhead(): boolean {
    const token = this.#cursor.ahead(1);
    return token !== undefined && metricsFunction(token) !== undefined;
  }

  /** `| rate() by (name)` at the end of a query; undefined: it has none. */
  metrics(): MetricsStage | CompareStage | undefined {
    if (!this.#cursor.take('|')) return undefined;
    const name = metricsFunction(this.#cursor.peek());
    if (name === undefined) throw new Error('BUG: a stage was left that is not of metrics');
    if (name === 'compare') return parseCompare(this.#cursor, () => this.#filter());
    return parseMetrics(this.#cursor, this.#fields, name);
  }

  /** `with (most_recent=true)`: how Tempo should read, not what is found. Read and left aside. */
  hints(): void {
    if (this.#cursor.peek().text !== 'with') return;
    this.#cursor.next();
    this.#cursor.expect('(');
    do {
      const name = this.#cursor.next();
      if (name.kind !== 'word') throw this.#cursor.unexpected(name, "a hint's name");
      this.#cursor.expect('=');
      const value = this.#cursor.next();
      const isValue = value.kind !== 'symbol' && value.kind !== 'end';
      if (!isValue) throw this.#cursor.unexpected(value, "a hint's value");
    } while (this.#cursor.take(','));
    this.#cursor.expect(')');
  }

  end(): void {
    const token = this.#cursor.peek();
    if (token.kind !== 'end') throw this.#cursor.unexpected(token);
  }

  #stage(isFirst: boolean): Stage {
    const token = this.#cursor.peek();
    if (token.kind === 'symbol' && token.text === '{') {
      return { kind: 'spansets', spansets: this.#alternatives() };
    }
    if (token.kind === 'symbol' && token.text === '(' && !this.#isScalarAhead()) {
      return { kind: 'spansets', spansets: this.#alternatives() };
    }
    if (isFirst && token.kind === 'end')
      throw this.#cursor.unexpected(token, 'a filter such as { }');
    if (!isFirst && token.kind === 'word') {
      if (token.text === 'by') return this.#by();
      if (token.text === 'select') return this.#select();
      if (token.text === 'coalesce') {
        this.#cursor.next();
        this.#cursor.expect('(');
        this.#cursor.expect(')');
        return { kind: 'coalesce' };
      }
    }
    return this.#scalarFilter();
  }

  /** After `(`: an aggregate or a number, not a filter. */
  #isScalarAhead(): boolean {
    const isOpen = (token: Token | undefined): boolean =>
      token?.kind === 'symbol' && token.text === '(';
    let count = 0;
    while (isOpen(this.#cursor.ahead(count))) count += 1;
    const token = this.#cursor.ahead(count);
    if (token === undefined) return false;
    return token.kind !== 'symbol' || (token.text !== '{' && token.text !== '(');
  }

  #by(): Stage {
    this.#cursor.next();
    this.#cursor.expect('(');
    const { field, label } = this.#labelled();
    this.#cursor.expect(')');
    return { kind: 'by', field, label };
  }

  #select(): Stage {
    this.#cursor.next();
    this.#cursor.expect('(');
    const fields = [this.#labelled()];
    while (this.#cursor.take(',')) fields.push(this.#labelled());
    this.#cursor.expect(')');
    return { kind: 'select', fields };
  }

  #labelled(): { field: Field; label: string } {
    const field = this.#fields.sum();
    return { field, label: labelOf(field) };
  }

  #scalarFilter(): Stage {
    const left = this.#scalarSum();
    const token = this.#cursor.next();
    const operator = COMPARISONS.find((one) => one === token.text && token.kind === 'symbol');
    if (operator === undefined) {
      throw this.#cursor.unexpected(token, 'a comparison such as > 2');
    }
    return { kind: 'scalar', operator, left, right: this.#scalarSum() };
  }

  #scalarSum(): Scalar {
    let left = this.#scalarProduct();
    for (
      let operator = this.#cursor.arithmetic('+-');
      operator;
      operator = this.#cursor.arithmetic('+-')
    ) {
      left = { kind: 'arithmetic', operator, left, right: this.#scalarProduct() };
    }
    return left;
  }

  #scalarProduct(): Scalar {
    let left = this.#scalarUnit();
    for (
      let operator = this.#cursor.arithmetic('*/%^');
      operator;
      operator = this.#cursor.arithmetic('*/%^')
    ) {
      left = { kind: 'arithmetic', operator, left, right: this.#scalarUnit() };
    }
    return left;
  }

  #scalarUnit(): Scalar {
    const token = this.#cursor.next();
    if (token.kind === 'number' || token.kind === 'duration') {
      return { kind: 'number', value: token.number };
    }
    if (token.kind === 'symbol' && token.text === '-') {
      const right = this.#scalarUnit();
      return { kind: 'arithmetic', operator: '-', left: { kind: 'number', value: 0 }, right };
    }
    if (token.kind === 'symbol' && token.text === '(') {
      const inner = this.#cursor.deeper(() => this.#scalarSum());
      this.#cursor.expect(')');
      return inner;
    }
    const name = AGGREGATES.find((one) => one === token.text && token.kind === 'word');
    if (name === undefined) {
      throw this.#cursor.unexpected(token, `one of ${AGGREGATES.join(', ')}, by, select, coalesce`);
    }
    this.#cursor.expect('(');
    const field = name === 'count' ? undefined : this.#fields.sum();
    if (field !== undefined)
      this.#cursor.mustBe(field, ['number', 'any'], token, `${name}() takes`);
    this.#cursor.expect(')');
    return { kind: 'aggregate', name, field };
  }

  #alternatives(): Spansets {
    let left = this.#conjunction();
    while (this.#cursor.take('||')) {
      left = { kind: 'combine', operator: '||', left, right: this.#conjunction() };
    }
    return left;
  }

  #conjunction(): Spansets {
    let left = this.#relations();
    while (this.#cursor.take('&&')) {
      left = { kind: 'combine', operator: '&&', left, right: this.#relations() };
    }
    return left;
  }

  #relations(): Spansets {
    let left = this.#spansetUnit();
    for (;;) {
      const token = this.#cursor.peek();
      const how = token.text.startsWith('!')
        ? 'not'
        : token.text.startsWith('&')
          ? 'union'
          : 'plain';
      const bare = how === 'plain' ? token.text : token.text.slice(1);
      const relation = RELATIONS.find((one) => one === bare && token.kind === 'symbol');
      if (relation === undefined) return left;
      this.#cursor.next();
      left = { kind: 'relate', relation, how, left, right: this.#spansetUnit() };
    }
  }

  #spansetUnit(): Spansets {
    if (this.#cursor.take('(')) {
      const stages = this.#cursor.deeper(() => this.stages());
      this.#cursor.expect(')');
      return { kind: 'pipeline', stages };
    }
    return { kind: 'filter', field: this.#filter() };
  }

  #filter(): Field {
    this.#cursor.expect('{');
    if (this.#cursor.take('}')) return { kind: 'literal', type: 'boolean', value: true };
    const token = this.#cursor.peek();
    const field = this.#fields.condition();
    this.#cursor.mustBe(field, ['boolean', 'any'], token, 'a filter is');
    this.#cursor.expect('}');
    return field;
  }
}
