// TraceQL as a tree. Source: Grafana Tempo's documentation, "TraceQL queries".

export type ComparisonOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^';
export type Scope = 'any' | 'span' | 'resource' | 'parent' | 'event' | 'link' | 'instrumentation';

/** What a span is asked for besides its attributes. */
export const INTRINSICS = [
  'duration',
  'name',
  'status',
  'statusMessage',
  'kind',
  'childCount',
  'rootName',
  'rootServiceName',
  'traceDuration',
  'nestedSetLeft',
  'nestedSetRight',
  'nestedSetParent',
  'spanId',
  'parentId',
  'traceId',
  'eventName',
  'eventTimeSinceStart',
  'linkTraceId',
  'linkSpanId',
  'instrumentationName',
  'instrumentationVersion',
] as const;
export type Intrinsic = (typeof INTRINSICS)[number];

/** Of a whole expression; an attribute can be of any type, known only when it is read. */
export type StaticType = 'string' | 'number' | 'boolean' | 'status' | 'kind' | 'nil' | 'any';

/** An expression over one span. */
export type Field =
  | { readonly kind: 'literal'; readonly type: StaticType; readonly value: Value }
  | { readonly kind: 'intrinsic'; readonly intrinsic: Intrinsic; readonly ofParent: boolean }
  | {
      readonly kind: 'attribute';
      readonly scope: Scope;
      readonly name: string;
      readonly ofParent: boolean;
    }
  | {
      readonly kind: 'compare';
      readonly operator: ComparisonOperator;
      readonly left: Field;
      readonly right: Field;
    }
  | {
      readonly kind: 'match';
      readonly isNegated: boolean;
      readonly value: Field;
      readonly pattern: string;
      /** Of the whole text, in linear time. */
      readonly matches: (text: string) => boolean;
    }
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: Field;
      readonly right: Field;
    }
  | {
      readonly kind: 'logical';
      readonly operator: '&&' | '||';
      readonly left: Field;
      readonly right: Field;
    }
  | { readonly kind: 'not'; readonly value: Field }
  | { readonly kind: 'negative'; readonly value: Field };

/** Undefined: the span does not have it. Status and kind are their names. */
export type Value = string | number | boolean | undefined;

export type Relation = '>' | '>>' | '<' | '<<' | '~';

/** An expression over the spans of one trace: which of them, in which sets. */
export type Spansets =
  | { readonly kind: 'filter'; readonly field: Field }
  | {
      readonly kind: 'combine';
      readonly operator: '&&' | '||';
      readonly left: Spansets;
      readonly right: Spansets;
    }
  | {
      readonly kind: 'relate';
      readonly relation: Relation;
      /** `not`: right ones without such a left one; `union`: both sides of each pair. */
      readonly how: 'plain' | 'not' | 'union';
      readonly left: Spansets;
      readonly right: Spansets;
    }
  | { readonly kind: 'pipeline'; readonly stages: readonly Stage[] };

export type AggregateName = 'count' | 'avg' | 'min' | 'max' | 'sum';

/** A number over one spanset. */
export type Scalar =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'aggregate'; readonly name: AggregateName; readonly field: Field | undefined }
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: Scalar;
      readonly right: Scalar;
    };

export type Stage =
  | { readonly kind: 'spansets'; readonly spansets: Spansets }
  | {
      readonly kind: 'scalar';
      readonly operator: ComparisonOperator;
      readonly left: Scalar;
      readonly right: Scalar;
    }
  | { readonly kind: 'by'; readonly field: Field; readonly label: string }
  | {
      readonly kind: 'select';
      readonly fields: readonly { readonly field: Field; readonly label: string }[];
    }
  | { readonly kind: 'coalesce' };

export const METRICS_FUNCTIONS = [
  'rate',
  'count_over_time',
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'quantile_over_time',
  'histogram_over_time',
] as const;
export type MetricsFunction = (typeof METRICS_FUNCTIONS)[number];

/** What follows a metrics function, of each interval. */
export type SeriesStage =
  | { readonly kind: 'topk' | 'bottomk'; readonly count: number }
  | {
      readonly kind: 'threshold';
      readonly operator: ComparisonOperator;
      readonly value: number;
    };

/** Numbers over time of the spans that the stages before it find. */
export interface MetricsStage {
  readonly name: MetricsFunction;
  /** Undefined: spans are counted. */
  readonly field: Field | undefined;
  readonly quantiles: readonly number[];
  readonly by: readonly { readonly field: Field; readonly label: string }[];
  readonly then: readonly SeriesStage[];
}

/** `compare({…}, values, from, to)`: which spans of those found are the selection. */
export interface CompareStage {
  readonly name: 'compare';
  readonly selection: Field;
  /** Of an attribute, the most frequent ones. */
  readonly valuesMax: number;
  /** When a span of the selection starts; infinite: at any time. `toUs` is exclusive. */
  readonly fromUs: number;
  readonly toUs: number;
}

export interface TraceqlQuery {
  readonly stages: readonly Stage[];
  /** Of a metrics query only. */
  readonly metrics?: MetricsStage | CompareStage;
}
