import type {
  BinaryOperator,
  Expression,
  OrderItem,
  Select,
  SelectItem,
  Statement,
} from './syntax.ts';
import { SqlError, type Token, tokenize } from './tokens.ts';

const DEPTH_MAX = 48;
const NODES_MAX = 4_000;
const ROWS_MAX = 1_000_000;
const RESERVED = new Set(
  `SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET AS AND OR NOT IN LIKE REGEXP ASC DESC
   DISTINCT BETWEEN SETTINGS FORMAT INTO UNION WITH JOIN SLIMIT CASE WHEN THEN ELSE END`.split(
    /\s+/,
  ),
);
const SHOWN = ['databases', 'tables', 'tags', 'metrics', 'all_enum_tags', 'language'] as const;
const LEVELS: readonly (readonly string[])[] = [
  ['+', '-'],
  ['*', '/', '%'],
];
const COMPARISONS = ['=', '!=', '<>', '<', '<=', '>', '>='];

/** Parses one read-only statement: SELECT or SHOW. Throws `SqlError` at the first mistake. */
export function parseSql(sql: string): Statement {
  const parser = new Parser(sql);
  const statement = parser.isWord('SHOW') ? parser.show() : parser.whole();
  parser.end();
  return statement;
}

/** Parses a condition as it stands behind WHERE. Throws `SqlError`. */
export function parseCondition(text: string): Expression {
  const parser = new Parser(text);
  const condition = parser.condition();
  parser.end();
  return condition;
}

/** Recursive descent over the tokens; a class for the position that all the rules share. */
class Parser {
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  /** Statements that WITH named; they cannot name each other. */
  readonly #named = new Map<string, Select>();
  #depth = 0;
  #nodes = 0;

  constructor(sql: string) {
    this.#sql = sql;
    this.#tokens = tokenize(sql);
  }

  whole(): Statement {
    if (this.#takeWord('WITH')) {
      const named = this.#list(() => this.#withItem());
      for (const [name, select] of named) this.#named.set(name, select);
    }
    return { kind: 'select', select: this.#select() };
  }

  #withItem(): readonly [string, Select] {
    const { name } = this.#tableName();
    this.#expectWord('AS');
    this.#expectSymbol('(');
    const select = this.#deeper(() => this.#select());
    this.#expectSymbol(')');
    return [name, select];
  }

  readonly condition = (): Expression => this.#expression();

  show(): Statement {
    this.#next();
    const token = this.#next();
    const word = token.kind === 'name' ? token.text.toLowerCase() : '';
    if (word === 'tag' || word === 'enum') return this.#values(word);
    const what = SHOWN.find((name) => name === word);
    if (what === undefined) {
      throw new SqlError(
        `cannot show ${describe(token)}`,
        token.position,
        `show one of: ${SHOWN.join(', ')}, metrics functions, tag x values, enum x values`,
      );
    }
    if (what === 'metrics' && this.#takeWord('FUNCTIONS')) {
      return { kind: 'show', what: 'functions', table: undefined, database: undefined };
    }
    const database = this.#takeWord('ON') ? this.#tableName().name : undefined;
    const table = this.#takeWord('FROM') ? this.#tableName() : undefined;
    return { kind: 'show', what, table, database };
  }

  #values(of: 'tag' | 'enum'): Statement {
    const tag = this.#tableName();
    this.#expectWord('VALUES');
    const table = this.#takeWord('FROM') ? this.#tableName() : undefined;
    const where = this.#takeWord('WHERE') ? this.#expression() : undefined;
    const limit = this.#takeWord('LIMIT') ? this.#count() : undefined;
    const offset = this.#takeWord('OFFSET') ? this.#count() : undefined;
    return { kind: 'values', of, tag, table, where, limit, offset };
  }

  end(): void {
    const token = this.#peek();
    if (token.kind !== 'end') throw this.#unexpected(token, 'the end of the statement');
  }

  isWord(word: string): boolean {
    const token = this.#peek();
    return token.kind === 'name' && !token.isQuoted && token.text.toUpperCase() === word;
  }

  #select(): Select {
    this.#expectWord('SELECT');
    const isDistinct = this.#takeWord('DISTINCT');
    const items = this.#list(() => this.#item());
    this.#expectWord('FROM');
    const source = this.#source();
    const where = this.#takeWord('WHERE') ? this.#expression() : undefined;
    let groupBy: Expression[] = [];
    if (this.#takeWord('GROUP')) {
      this.#expectWord('BY');
      groupBy = this.#list(() => this.#expression());
    }
    const having = this.#takeWord('HAVING') ? this.#expression() : undefined;
    let orderBy: OrderItem[] = [];
    if (this.#takeWord('ORDER')) {
      this.#expectWord('BY');
      orderBy = this.#list(() => this.#order());
    }
    const seriesLimit = this.#takeWord('SLIMIT') ? this.#count() : undefined;
    const limit = this.#takeWord('LIMIT') ? this.#count() : undefined;
    const offset = this.#takeWord('OFFSET') ? this.#count() : undefined;
    const rest = { seriesLimit, limit, offset };
    return { items, isDistinct, source, where, groupBy, having, orderBy, ...rest };
  }

  #source(): Select['source'] {
    if (!this.#takeSymbol('(')) {
      const table = this.#tableName();
      const named = this.#named.get(table.name);
      return named === undefined ? { kind: 'table', ...table } : { kind: 'select', select: named };
    }
    const select = this.#deeper(() => this.#select());
    this.#expectSymbol(')');
    return { kind: 'select', select };
  }

  #tableName(): { name: string; position: number } {
    const token = this.#next();
    if (token.kind !== 'name') throw this.#unexpected(token, 'a table');
    return { name: token.text, position: token.position };
  }

  #item(): SelectItem {
    const start = this.#peek().position;
    const value = this.#takeSymbol('*')
      ? ({ kind: 'star', position: start } as const)
      : this.#expression();
    const last = this.#tokens[this.#at - 1];
    const end = this.#peek().position;
    const label = this.#sql.slice(start, last === undefined ? start : end).trim();
    if (!this.#takeWord('AS')) return { value, alias: undefined, label: unquoted(label) };
    const token = this.#next();
    if (token.kind !== 'name') throw this.#unexpected(token, 'a name after AS');
    return { value, alias: token.text, label: token.text };
  }

  #order(): OrderItem {
    const value = this.#expression();
    const isDescending = this.#takeWord('DESC');
    if (!isDescending) this.#takeWord('ASC');
    return { value, isDescending };
  }

  #count(): number {
    const token = this.#next();
    const count = Number(token.text);
    if (token.kind !== 'number' || !Number.isSafeInteger(count) || count > ROWS_MAX) {
      throw this.#unexpected(token, `a whole number up to ${ROWS_MAX}`);
    }
    return count;
  }

  #expression(): Expression {
    return this.#deeper(() => this.#logical('OR', () => this.#logical('AND', () => this.#not())));
  }

  #logical(operator: 'OR' | 'AND', next: () => Expression): Expression {
    let left = next();
    while (this.isWord(operator)) {
      const { position } = this.#next();
      left = this.#node({ kind: 'binary', operator, left, right: next(), position });
    }
    return left;
  }

  #not(): Expression {
    const { position } = this.#peek();
    if (!this.#takeWord('NOT')) return this.#comparison();
    const value = this.#deeper(() => this.#not());
    return this.#node({ kind: 'unary', operator: 'NOT', value, position });
  }

  #comparison(): Expression {
    const left = this.#arithmetic(0);
    const token = this.#peek();
    if (token.kind === 'symbol' && COMPARISONS.includes(token.text)) {
      this.#next();
      // Checked by COMPARISONS: each of them but <> is an operator of the tree.
      const operator = (token.text === '<>' ? '!=' : token.text) as BinaryOperator;
      const right = this.#arithmetic(0);
      return this.#node({ kind: 'binary', operator, left, right, position: token.position });
    }
    const isNegated = this.#takeWord('NOT');
    if (this.#takeWord('IN')) {
      this.#expectSymbol('(');
      const list = this.#list(() => this.#expression());
      this.#expectSymbol(')');
      return this.#node({ kind: 'in', isNegated, value: left, list, position: token.position });
    }
    if (this.#takeWord('BETWEEN')) return this.#between(left, isNegated, token.position);
    for (const how of ['LIKE', 'REGEXP'] as const) {
      if (!this.#takeWord(how)) continue;
      const pattern = this.#next();
      if (pattern.kind !== 'string') throw this.#unexpected(pattern, `a string after ${how}`);
      const { position } = token;
      const value = left;
      return this.#node({ kind: 'match', how, isNegated, value, pattern: pattern.text, position });
    }
    if (isNegated) throw this.#unexpected(this.#peek(), 'IN, BETWEEN, LIKE or REGEXP after NOT');
    return left;
  }

  #between(value: Expression, isNegated: boolean, position: number): Expression {
    const least = this.#arithmetic(0);
    this.#expectWord('AND');
    const most = this.#arithmetic(0);
    const compare = (operator: '>=' | '<=', right: Expression): Expression =>
      this.#node({ kind: 'binary', operator, left: value, right, position });
    const [left, right] = [compare('>=', least), compare('<=', most)];
    const both = this.#node({ kind: 'binary', operator: 'AND', left, right, position });
    return isNegated ? this.#node({ kind: 'unary', operator: 'NOT', value: both, position }) : both;
  }

  /** CASE WHEN a THEN b … ELSE z END, behind its first word. */
  #case(position: number): Expression {
    const args: Expression[] = [];
    while (this.#takeWord('WHEN')) {
      args.push(this.#expression());
      this.#expectWord('THEN');
      args.push(this.#expression());
    }
    if (args.length === 0) throw this.#unexpected(this.#peek(), 'WHEN');
    this.#expectWord('ELSE');
    args.push(this.#expression());
    this.#expectWord('END');
    return this.#node({ kind: 'call', name: 'multiIf', args, position });
  }

  #arithmetic(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#arithmetic(level + 1);
    for (;;) {
      const token = this.#peek();
      if (token.kind !== 'symbol' || !operators.includes(token.text)) return left;
      this.#next();
      // Checked by LEVELS, whose members are all operators of the tree.
      const operator = token.text as BinaryOperator;
      const right = this.#arithmetic(level + 1);
      left = this.#node({ kind: 'binary', operator, left, right, position: token.position });
    }
  }

  #unary(): Expression {
    const { position } = this.#peek();
    if (!this.#takeSymbol('-')) return this.#primary();
    const value = this.#deeper(() => this.#unary());
    return this.#node({ kind: 'unary', operator: '-', value, position });
  }

  #primary(): Expression {
    const token = this.#next();
    const { position } = token;
    if (token.kind === 'number') return this.#node({ kind: 'number', text: token.text, position });
    if (token.kind === 'string') return this.#node({ kind: 'string', value: token.text, position });
    if (token.kind === 'symbol' && token.text === '(') {
      const inner = this.#expression();
      this.#expectSymbol(')');
      return inner;
    }
    const isName = token.kind === 'name';
    if (isName && !token.isQuoted && token.text.toUpperCase() === 'CASE') {
      return this.#deeper(() => this.#case(position));
    }
    if (!isName || (!token.isQuoted && RESERVED.has(token.text.toUpperCase()))) {
      throw this.#unexpected(token, 'a column, a value or a function');
    }
    if (token.isQuoted || !this.#takeSymbol('(')) {
      return this.#node({ kind: 'name', name: token.text, position });
    }
    const isCount = token.text.toLowerCase() === 'count';
    // Count(*) counts rows, as Count(row) does.
    if (this.#takeSymbol(')') || (isCount && this.#takeSymbols('*', ')'))) {
      return this.#node({ kind: 'call', name: token.text, args: [], position });
    }
    const args = this.#list(() => this.#expression());
    this.#expectSymbol(')');
    return this.#node({ kind: 'call', name: token.text, args, position });
  }

  #node(expression: Expression): Expression {
    if (++this.#nodes > NODES_MAX) {
      const { position } = expression;
      throw new SqlError(`more than ${NODES_MAX} terms`, position, 'shorten the statement');
    }
    return expression;
  }

  #deeper<Answer>(rule: () => Answer): Answer {
    if (++this.#depth > DEPTH_MAX) {
      const { position } = this.#peek();
      throw new SqlError(`nested deeper than ${DEPTH_MAX}`, position, 'flatten the statement');
    }
    const answer = rule();
    this.#depth--;
    return answer;
  }

  #list<Member>(rule: () => Member): Member[] {
    const members = [rule()];
    while (this.#takeSymbol(',')) members.push(rule());
    return members;
  }

  #peek(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Error('BUG: read past the end token');
    return token;
  }

  #next(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  #takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.#at++;
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'symbol' || token.text !== symbol) return false;
    this.#at++;
    return true;
  }

  #takeSymbols(first: string, second: string): boolean {
    const [one, two] = this.#tokens.slice(this.#at, this.#at + 2);
    const isThere = [one, two].every(
      (token, at) => token?.kind === 'symbol' && token.text === [first, second][at],
    );
    if (isThere) this.#at += 2;
    return isThere;
  }

  #expectWord(word: string): void {
    if (!this.#takeWord(word)) throw this.#unexpected(this.#peek(), word);
  }

  #expectSymbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) throw this.#unexpected(this.#peek(), symbol);
  }

  #unexpected(token: Token, wanted: string): SqlError {
    return new SqlError(
      `unexpected ${describe(token)}, wanted ${wanted}`,
      token.position,
      'the dialect: SELECT .. FROM .. WHERE .. GROUP BY .. HAVING .. ORDER BY .. SLIMIT .. LIMIT .. OFFSET',
    );
  }
}

function describe(token: Token): string {
  return token.kind === 'end' ? 'end of the statement' : token.text.slice(0, 40);
}

function unquoted(label: string): string {
  return /^`[^`]*`$/.test(label) ? label.slice(1, -1) : label;
}
