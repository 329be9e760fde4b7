import type { Matcher } from '../series-source.ts';
import type { DurationExpression } from './duration-expression.ts';
import type { FunctionSignature } from './function-signatures.ts';

/** Offsets into the query text, in UTF-16 code units; `end` is exclusive. */
export interface PositionRange {
  readonly start: number;
  readonly end: number;
}

export type ValueType = 'none' | 'scalar' | 'string' | 'vector' | 'matrix';

/** The `@` modifier. */
export type At =
  | { readonly kind: 'time'; readonly timeMs: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };

interface Node {
  readonly range: PositionRange;
}

export interface NumberLiteral extends Node {
  readonly kind: 'number';
  /** A duration literal counts in seconds. */
  readonly value: number;
  readonly isDuration: boolean;
}

export interface StringLiteral extends Node {
  readonly kind: 'string';
  readonly value: string;
}

export interface VectorSelector extends Node {
  readonly kind: 'vector-selector';
  /** The metric name, when written before the braces or as a quoted string inside. */
  readonly name: string;
  /** The name's own matcher comes last. */
  readonly matchers: readonly Matcher[];
  readonly offsetMs: number;
  readonly offset?: DurationExpression | undefined;
  readonly at?: At | undefined;
  /** Experimental: how a range meets its edges, or an instant its neighbours. */
  readonly extension?: Extension | undefined;
}

export type Extension = 'anchored' | 'smoothed';

export interface MatrixSelector extends Node {
  readonly kind: 'matrix-selector';
  readonly selector: VectorSelector;
  readonly rangeMs: number;
  /**
   * Here and in `offset` and `step`: as written, where it is more than a literal. The number beside
   * it holds once the query's times are known.
   */
  readonly duration?: DurationExpression | undefined;
}

export interface Subquery extends Node {
  readonly kind: 'subquery';
  readonly expression: Expression;
  readonly rangeMs: number;
  /** 0: the default resolution. */
  readonly stepMs: number;
  readonly duration?: DurationExpression | undefined;
  readonly step?: DurationExpression | undefined;
  readonly offsetMs: number;
  readonly offset?: DurationExpression | undefined;
  readonly at?: At | undefined;
}

export interface Call extends Node {
  readonly kind: 'call';
  readonly signature: FunctionSignature;
  readonly args: readonly Expression[];
}

export interface Aggregation extends Node {
  readonly kind: 'aggregation';
  readonly operator: AggregationOperator;
  readonly expression: Expression;
  readonly parameter?: Expression | undefined;
  readonly grouping: readonly string[];
  readonly isWithout: boolean;
}

export type Cardinality = 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';

export interface VectorMatching {
  readonly cardinality: Cardinality;
  readonly isOn: boolean;
  readonly labels: readonly string[];
  /** Labels of the "one" side that `group_left`/`group_right` copy. */
  readonly include: readonly string[];
  /** Experimental `fill`: values standing for a missing left or right sample. */
  readonly fillLeft?: number | undefined;
  readonly fillRight?: number | undefined;
}

export interface Binary extends Node {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly isBool: boolean;
  /** Present between two instant vectors. */
  readonly matching?: VectorMatching | undefined;
}

export interface Unary extends Node {
  readonly kind: 'unary';
  readonly operator: '+' | '-';
  readonly expression: Expression;
}

export interface Parentheses extends Node {
  readonly kind: 'parentheses';
  readonly expression: Expression;
}

export type Expression =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregation
  | Binary
  | Unary
  | Parentheses;

export const AGGREGATION_OPERATORS = [
  'avg',
  'bottomk',
  'count',
  'count_values',
  'group',
  'limit_ratio',
  'limitk',
  'max',
  'min',
  'quantile',
  'stddev',
  'stdvar',
  'sum',
  'topk',
] as const;
export type AggregationOperator = (typeof AGGREGATION_OPERATORS)[number];

export const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='] as const;
export const SET_OPERATORS = ['and', 'or', 'unless'] as const;
/** On native histograms: without what lies above, or below, a float. */
export const TRIM_OPERATORS = ['</', '>/'] as const;
export const ARITHMETIC = ['+', '-', '*', '/', '%', '^', 'atan2'] as const;
export type Comparison = (typeof COMPARISONS)[number];
export type SetOperator = (typeof SET_OPERATORS)[number];
export type Arithmetic = (typeof ARITHMETIC)[number];
export type TrimOperator = (typeof TRIM_OPERATORS)[number];
export type BinaryOperator = Comparison | SetOperator | Arithmetic | TrimOperator;

export const isComparison = (operator: string): operator is Comparison =>
  (COMPARISONS as readonly string[]).includes(operator);
export const isTrimOperator = (operator: string): operator is TrimOperator =>
  (TRIM_OPERATORS as readonly string[]).includes(operator);
export const isSetOperator = (operator: string): operator is SetOperator =>
  (SET_OPERATORS as readonly string[]).includes(operator);

/** Whether its result is still a sample of the same metric. */
export const keepsName = (operator: string): boolean =>
  isComparison(operator) || isTrimOperator(operator);

/** The type that an expression evaluates to. */
export function typeOf(expression: Expression): ValueType {
  switch (expression.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'vector-selector':
    case 'aggregation':
      return 'vector';
    case 'matrix-selector':
    case 'subquery':
      return 'matrix';
    case 'call':
      return expression.signature.returns;
    case 'unary':
    case 'parentheses':
      return typeOf(expression.expression);
    case 'binary':
      return typeOf(expression.left) === 'scalar' && typeOf(expression.right) === 'scalar'
        ? 'scalar'
        : 'vector';
  }
}
