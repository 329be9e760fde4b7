import { AGGREGATION_OPERATORS, type PositionRange } from './ast.ts';

export type TokenKind =
  | 'identifier'
  | 'metric-identifier'
  | 'string'
  | 'number'
  | 'duration'
  /** `text` is in lower case. */
  | 'operator'
  | 'keyword'
  | 'aggregator'
  /** Braces, brackets, parentheses, comma, colon, `=`. */
  | 'punctuation'
  | 'end';

export interface Token extends PositionRange {
  readonly kind: TokenKind;
  /** In lower case for operators, keywords and aggregators. */
  readonly text: string;
  /** As written. */
  readonly raw: string;
}

const WORD_OPERATORS = ['and', 'or', 'unless', 'atan2'];
const KEYWORDS = [
  'bool',
  'by',
  'group_left',
  'group_right',
  'ignoring',
  'offset',
  'on',
  'without',
  'start',
  'end',
  'step',
  'range',
  'anchored',
  'smoothed',
  'fill',
  'fill_left',
  'fill_right',
];

/** What a word outside braces is; words are case-insensitive. */
export const WORD_KINDS: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ...WORD_OPERATORS.map((word): [string, TokenKind] => [word, 'operator']),
  ...KEYWORDS.map((word): [string, TokenKind] => [word, 'keyword']),
  ...AGGREGATION_OPERATORS.map((word): [string, TokenKind] => [word, 'aggregator']),
  ['inf', 'number'],
  ['nan', 'number'],
]);

/** Longest first. */
export const SYMBOL_OPERATORS = [
  '==',
  '=~',
  '!=',
  '!~',
  '<=',
  '>=',
  '</',
  '>/',
  '<',
  '>',
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '@',
] as const;
