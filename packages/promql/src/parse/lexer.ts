import { ParseFault } from './parse-error.ts';
import { quote, quoteRune } from './quoting.ts';
import { SYMBOL_OPERATORS, type Token, type TokenKind, WORD_KINDS } from './tokens.ts';

const TOKENS_MAX = 20_000;

const NUMBER = /(?:0[xX][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y;
const DURATION = /(?:\d+(?:ms|[smhdwy]))+/y;
const WORD = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const SPACE = /(?:[ \t\r\n]+|#[^\n]*)+/y;
/** What may not follow a number at once. */
const NUMBER_TAIL = /[a-zA-Z0-9_.]+/y;

/** The tokens of a query, an `end` last. A lexical error is a fault at its place, thrown. */
export function* readTokens(text: string): Generator<Token, void> {
  let at = 0;
  let count = 0;
  let isInBraces = false;
  const open: string[] = [];

  while (true) {
    at = endOf(SPACE, text, at) ?? at;
    if (at >= text.length) break;
    if (++count > TOKENS_MAX) {
      throw new ParseFault({ start: at, end: at }, `query has more than ${TOKENS_MAX} tokens`);
    }
    const isInBrackets = open.at(-1) === '[';
    const token = isInBraces
      ? readInBraces(text, at)
      : readOutside(text, at, { isInBrackets, depth: open });
    if (token.kind === 'punctuation') {
      if (token.text === '{') isInBraces = true;
      if (token.text === '}') isInBraces = false;
      if (token.text === '(' || token.text === '[') open.push(token.text);
      if (token.text === ')' || token.text === ']') open.pop();
    }
    at = token.end;
    yield token;
  }

  const range = { start: text.length, end: text.length };
  if (isInBraces) throw new ParseFault(range, 'unexpected end of input inside braces');
  const unclosed = open.at(-1);
  if (unclosed === '(') throw new ParseFault(range, 'unclosed left parenthesis');
  if (unclosed === '[') throw new ParseFault(range, 'unclosed left bracket');
  yield { kind: 'end', text: '', raw: '', ...range };
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function tokenAt(kind: TokenKind, text: string, start: number, end: number): Token {
  const raw = text.slice(start, end);
  const folds = kind === 'operator' || kind === 'keyword' || kind === 'aggregator';
  return { kind, raw, text: folds ? raw.toLowerCase() : raw, start, end };
}

const fault = (text: string, at: number, message: string): ParseFault =>
  new ParseFault({ start: at, end: Math.min(at + 1, text.length) }, message);

const characterAt = (text: string, at: number): string =>
  String.fromCodePoint(text.codePointAt(at) ?? 0xfffd);

function readInBraces(text: string, at: number): Token {
  const character = characterAt(text, at);
  if (character === '{') throw fault(text, at, "unexpected left brace '{'");
  if (character === '}' || character === ',') return tokenAt('punctuation', text, at, at + 1);
  if (/["'`]/.test(character)) return readString(text, at);
  const labelEnd = endOf(LABEL, text, at);
  if (labelEnd !== undefined) return tokenAt('identifier', text, at, labelEnd);
  const two = text.slice(at, at + 2);
  if (two === '=~' || two === '!=' || two === '!~') return tokenAt('operator', text, at, at + 2);
  if (character === '=') return tokenAt('punctuation', text, at, at + 1);
  if (character === '!') {
    const next = at + 1 < text.length ? characterAt(text, at + 1) : '\0';
    throw fault(text, at, `unexpected character after '!' inside braces: ${quoteRune(next)}`);
  }
  throw fault(text, at, `unexpected character inside braces: ${quoteRune(character)}`);
}

function readOutside(
  text: string,
  at: number,
  { isInBrackets, depth }: { isInBrackets: boolean; depth: readonly string[] },
): Token {
  const character = characterAt(text, at);
  const operator = SYMBOL_OPERATORS.find((symbol) => text.startsWith(symbol, at));
  if (operator !== undefined && operator !== '!~') {
    return tokenAt('operator', text, at, at + operator.length);
  }
  if (character === '!') {
    const next = at + 1 < text.length ? characterAt(text, at + 1) : '\0';
    throw fault(text, at, `unexpected character after '!': ${quoteRune(next)}`);
  }
  if (character === '}') throw fault(text, at, "unexpected right brace '}'");
  if (character === ')' && !depth.includes('(')) {
    throw fault(text, at, "unexpected right parenthesis ')'");
  }
  if (character === ']' && !depth.includes('[')) {
    throw fault(text, at, "unexpected right bracket ']'");
  }
  if (character === '[' && isInBrackets) throw fault(text, at, "unexpected left bracket '['");
  if (/[{}()[\],=]/.test(character)) return tokenAt('punctuation', text, at, at + 1);
  if (isInBrackets && character === ':') return tokenAt('punctuation', text, at, at + 1);
  if (/["'`]/.test(character)) return readString(text, at);
  if (/[0-9.]/.test(character)) return readNumber(text, at);
  const wordEnd = endOf(isInBrackets ? LABEL : WORD, text, at);
  if (wordEnd === undefined) {
    throw fault(text, at, `unexpected character: ${quoteRune(character)}`);
  }
  const word = text.slice(at, wordEnd);
  const plain = word.includes(':') ? 'metric-identifier' : 'identifier';
  return tokenAt(WORD_KINDS.get(word.toLowerCase()) ?? plain, text, at, wordEnd);
}

function readNumber(text: string, at: number): Token {
  for (const [kind, pattern] of [
    ['duration', DURATION],
    ['number', NUMBER],
  ] as const) {
    const end = endOf(pattern, text, at);
    if (end !== undefined && endOf(NUMBER_TAIL, text, end) === undefined) {
      const raw = text.slice(at, end);
      if (/__|_$|_\.|\._/.test(raw)) break;
      return tokenAt(kind, text, at, end);
    }
  }
  const end = endOf(NUMBER_TAIL, text, at) ?? at + 1;
  const message = `bad number or duration syntax: ${quote(text.slice(at, end))}`;
  throw new ParseFault({ start: at, end }, message);
}

function readString(text: string, start: number): Token {
  const mark = text[start] ?? '';
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at];
    if (character === mark) return tokenAt('string', text, start, at + 1);
    if (mark === '`') continue;
    if (character === '\n') break;
    if (character === '\\') at++;
  }
  const kind = mark === '`' ? 'unterminated raw string' : 'unterminated quoted string';
  throw new ParseFault({ start, end: text.length }, kind);
}
