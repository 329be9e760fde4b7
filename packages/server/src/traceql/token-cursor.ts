import { typeOf } from './names.ts';
import type { ArithmeticOperator, Field, StaticType } from './syntax.ts';
import { type Token, TraceqlError, tokenize } from './tokens.ts';

const DEPTH_MAX = 64;

/** A place in a query's tokens, shared by the rules for fields and for spansets. */
export class TokenCursor {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  peek(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Error('BUG: read past the end token');
    return token;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  isSymbol(text: string): boolean {
    const token = this.peek();
    return token.kind === 'symbol' && token.text === text;
  }

  take(text: string): boolean {
    if (!this.isSymbol(text)) return false;
    this.#at += 1;
    return true;
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.unexpected(this.peek(), `"${text}"`);
  }

  arithmetic(operators: string): ArithmeticOperator | undefined {
    const token = this.peek();
    if (token.kind !== 'symbol' || token.text.length !== 1 || !operators.includes(token.text)) {
      return undefined;
    }
    this.next();
    return token.text as ArithmeticOperator; // One of `operators`, which are all of this type.
  }

  mustBe(field: Field, types: readonly StaticType[], token: Token, who: string): void {
    const type = typeOf(field);
    if (types.includes(type)) return;
    throw new TraceqlError(`${who} ${types[0]}, this is ${type}`, this.#text, token.position);
  }

  deeper<Answer>(rule: () => Answer): Answer {
    if (++this.#depth > DEPTH_MAX) {
      throw new TraceqlError(`nested deeper than ${DEPTH_MAX}`, this.#text, this.peek().position);
    }
    const answer = rule();
    this.#depth -= 1;
    return answer;
  }

  unexpected(token: Token, wanted = 'the end'): TraceqlError {
    const what = token.kind === 'end' ? 'the end' : JSON.stringify(token.text);
    return new TraceqlError(`unexpected ${what}, expected ${wanted}`, this.#text, token.position);
  }

  /** The token `count` places behind the next one. */
  ahead(count: number): Token | undefined {
    return this.#tokens[this.#at + count];
  }

  /** The token that was taken last. */
  last(): Token {
    return this.#tokens[this.#at - 1] ?? this.peek();
  }

  error(reason: string, token: Token): TraceqlError {
    return new TraceqlError(reason, this.#text, token.position);
  }
}
