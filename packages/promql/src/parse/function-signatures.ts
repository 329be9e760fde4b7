import type { ValueType } from './ast.ts';

/** Source: Prometheus docs, "Query functions". */
export interface FunctionSignature {
  readonly name: string;
  readonly argTypes: readonly ValueType[];
  /** How often the last argument may be left out or repeated: 0 exactly once, -1 any number. */
  readonly variadic: number;
  readonly returns: ValueType;
  readonly isExperimental: boolean;
}

const V = 'vector';
const M = 'matrix';
const S = 'scalar';
const T = 'string';

type Row = readonly [argTypes: readonly ValueType[], returns: ValueType, variadic?: number];

const ofEach = (names: string, row: Row): [string, Row][] =>
  names.split(' ').map((name) => [name, row]);

const STABLE: readonly [string, Row][] = [
  ...ofEach('abs absent ceil exp floor ln log2 log10 sgn sort sort_desc sqrt timestamp', [[V], V]),
  ...ofEach('acos acosh asin asinh atan atanh cos cosh sin sinh tan tanh deg rad', [[V], V]),
  ...ofEach('histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar', [
    [V],
    V,
  ]),
  ...ofEach('absent_over_time avg_over_time changes count_over_time delta deriv idelta increase', [
    [M],
    V,
  ]),
  ...ofEach('irate last_over_time max_over_time min_over_time present_over_time rate resets', [
    [M],
    V,
  ]),
  ...ofEach('stddev_over_time stdvar_over_time sum_over_time', [[M], V]),
  ...ofEach('days_in_month day_of_month day_of_week day_of_year hour minute month year', [
    [V],
    V,
    1,
  ]),
  ...ofEach('clamp_max clamp_min', [[V, S], V]),
  ['clamp', [[V, S, S], V]],
  ['histogram_fraction', [[S, S, V], V]],
  ['histogram_quantile', [[S, V], V]],
  ['label_join', [[V, T, T, T], V, -1]],
  ['label_replace', [[V, T, T, T, T], V]],
  ['pi', [[], S]],
  ['predict_linear', [[M, S], V]],
  ['quantile_over_time', [[S, M], V]],
  ['round', [[V, S], V, 1]],
  ['scalar', [[V], S]],
  ['time', [[], S]],
  ['vector', [[S], V]],
];

const EXPERIMENTAL: readonly [string, Row][] = [
  ...ofEach('first_over_time mad_over_time ts_of_first_over_time ts_of_last_over_time', [[M], V]),
  ...ofEach('ts_of_max_over_time ts_of_min_over_time', [[M], V]),
  ...ofEach('sort_by_label sort_by_label_desc', [[V, T], V, -1]),
  ['double_exponential_smoothing', [[M, S, S], V]],
  ['histogram_quantiles', [[V, T, S, S], V, 9]],
  ['info', [[V, V], V, 1]],
  ...ofEach('max_of min_of', [[S, S], S]),
  ...ofEach('start end step range', [[], S]),
];

const rows = (list: readonly [string, Row][], isExperimental: boolean): FunctionSignature[] =>
  list.map(([name, [argTypes, returns, variadic = 0]]) => ({
    name,
    argTypes,
    variadic,
    returns,
    isExperimental,
  }));

export const FUNCTION_SIGNATURES: ReadonlyMap<string, FunctionSignature> = new Map(
  [...rows(STABLE, false), ...rows(EXPERIMENTAL, true)].map((row) => [row.name, row]),
);
