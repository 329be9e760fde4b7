/** The tree of a user's statement. Only what is here can be written into ClickHouse's SQL. */
export type Expression =
  | { readonly kind: 'number'; readonly text: string; readonly position: number }
  | { readonly kind: 'string'; readonly value: string; readonly position: number }
  | { readonly kind: 'name'; readonly name: string; readonly position: number }
  | { readonly kind: 'star'; readonly position: number }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: readonly Expression[];
      readonly position: number;
    }
  | {
      readonly kind: 'unary';
      readonly operator: 'NOT' | '-';
      readonly value: Expression;
      readonly position: number;
    }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly position: number;
    }
  | {
      readonly kind: 'in';
      readonly isNegated: boolean;
      readonly value: Expression;
      readonly list: readonly Expression[];
      readonly position: number;
    }
  | {
      readonly kind: 'match';
      readonly how: 'LIKE' | 'REGEXP';
      readonly isNegated: boolean;
      readonly value: Expression;
      readonly pattern: string;
      readonly position: number;
    };

export type BinaryOperator =
  | 'OR'
  | 'AND'
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '+'
  | '-'
  | '*'
  | '/'
  | '%';

export interface SelectItem {
  readonly value: Expression;
  readonly alias: string | undefined;
  /** The text as the user wrote it: the column's name in the answer. */
  readonly label: string;
}

export interface OrderItem {
  readonly value: Expression;
  readonly isDescending: boolean;
}

export interface Select {
  readonly items: readonly SelectItem[];
  readonly isDistinct: boolean;
  readonly source:
    | { readonly kind: 'table'; readonly name: string; readonly position: number }
    | { readonly kind: 'select'; readonly select: Select };
  readonly where: Expression | undefined;
  readonly groupBy: readonly Expression[];
  readonly having: Expression | undefined;
  readonly orderBy: readonly OrderItem[];
  /** Most groups of one series: what GROUP BY names but for time. */
  readonly seriesLimit: number | undefined;
  readonly limit: number | undefined;
  readonly offset: number | undefined;
}

export interface TableName {
  readonly name: string;
  readonly position: number;
}

export type Shown =
  | 'databases'
  | 'tables'
  | 'tags'
  | 'metrics'
  | 'functions'
  | 'all_enum_tags'
  | 'language';

export type Statement =
  | { readonly kind: 'select'; readonly select: Select }
  | {
      readonly kind: 'show';
      readonly what: Shown;
      readonly table: TableName | undefined;
      /** `show metrics on db`. */
      readonly database: string | undefined;
    }
  | {
      /** Values of a tag as they stand in rows, or (`enum`) the names that its numbers have. */
      readonly kind: 'values';
      readonly of: 'tag' | 'enum';
      readonly tag: TableName;
      readonly table: TableName | undefined;
      /** Over `value`, `display_name`, `uid` and, of a tag in rows, over columns. */
      readonly where: Expression | undefined;
      readonly limit: number | undefined;
      readonly offset: number | undefined;
    };
