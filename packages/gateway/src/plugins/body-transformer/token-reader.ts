import { type LuaToken, TemplateError } from './lua-tokens.ts';

/** Blocks and brackets within one another; deeper is taken for an attack on the stack. */
const DEPTH_MAX = 64;

/** A row of tokens with a place in it. The last one is of kind `end`. */
export interface TokenReader {
  peek(): LuaToken;
  next(): LuaToken;
  /** Takes the next one if it is this word or sign. */
  accept(text: string): boolean;
  expect(text: string): void;
  name(): string;
  /** Runs `read` one level deeper. */
  nested<Value>(read: () => Value): Value;
}

const END: LuaToken = { kind: 'end', text: 'the end of the template' };

export function createTokenReader(tokens: readonly LuaToken[]): TokenReader {
  let at = 0;
  let depth = 0;
  const peek = (): LuaToken => tokens[at] ?? END;
  const isNext = (text: string): boolean => {
    const { kind, text: own } = peek();
    return own === text && (kind === 'word' || kind === 'sign');
  };
  const reader: TokenReader = {
    peek,
    next() {
      const token = peek();
      at += 1;
      return token;
    },
    accept(text) {
      if (!isNext(text)) return false;
      at += 1;
      return true;
    },
    expect(text) {
      if (!reader.accept(text)) {
        throw new TemplateError(`"${text}" expected near "${peek().text}"`);
      }
    },
    name() {
      const { kind, text } = reader.next();
      if (kind !== 'name') throw new TemplateError(`a name expected near "${text}"`);
      return text;
    },
    nested(read) {
      if (depth >= DEPTH_MAX) throw new TemplateError(`nested deeper than ${DEPTH_MAX}`);
      depth += 1;
      const value = read();
      depth -= 1;
      return value;
    },
  };
  return reader;
}
