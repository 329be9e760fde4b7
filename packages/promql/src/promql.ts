import type { Expression } from './parse/ast.ts';
import { type ParseError, ParseFault, toParseError } from './parse/parse-error.ts';
import { parseExpression } from './parse/parser.ts';
import { formatExpression } from './print/format.ts';

/** Characters of a query. */
export const QUERY_SIZE_MAX = 100_000;

export type ParseResult =
  | { readonly kind: 'expression'; readonly expression: Expression }
  | { readonly kind: 'invalid'; readonly error: ParseError };

export interface ParseOptions {
  /** Accepts experimental functions and aggregations; off by default. */
  readonly isExperimental?: boolean;
}

/** Parses and type-checks a query. Never throws; bounded in size, tokens and depth. */
export function parsePromql(text: string, options: ParseOptions = {}): ParseResult {
  try {
    if (text.length > QUERY_SIZE_MAX) {
      const range = { start: 0, end: text.length };
      const limit = `the most is ${QUERY_SIZE_MAX}`;
      throw new ParseFault(range, `query has ${text.length} characters, ${limit}`);
    }
    const { isExperimental = false } = options;
    return { kind: 'expression', expression: parseExpression(text, { isExperimental }) };
  } catch (error) {
    if (error instanceof ParseFault) return { kind: 'invalid', error: toParseError(text, error) };
    throw error;
  }
}

/** The query as Prometheus's `format_query` prints it. */
export const formatPromql = (expression: Expression): string => formatExpression(expression);
