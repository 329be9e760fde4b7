/** How a function of the dialect is written in ClickHouse's SQL, with its number of arguments. */
export interface SqlFunction {
  readonly least: number;
  readonly most: number;
  /** Arguments that must be number literals, by place: they become parameters of the function. */
  readonly literals?: readonly number[];
  readonly write: (args: readonly string[]) => string;
}

const plain = (name: string, least: number, most = least): SqlFunction => ({
  least,
  most,
  write: (args) => `${name}(${args.join(', ')})`,
});

/** `x` of an aggregate over a delay leaves zeros out: there was no measurement. */
export const DELAY_AGGREGATES: Readonly<Record<string, string>> = {
  avg: 'avgIf',
  max: 'maxIf',
  min: 'minIf',
};

const percentile = (name: string): SqlFunction => ({
  least: 2,
  most: 2,
  literals: [1],
  write: ([value, percent]) => `${name}(${Math.min(100, Number(percent)) / 100})(${value})`,
});

/** By lower-case name: names of functions are matched without regard to case. */
export const FUNCTIONS: ReadonlyMap<string, SqlFunction> = new Map(
  Object.entries({
    count: { least: 0, most: 1, write: () => 'count()' },
    sum: plain('sum', 1),
    avg: plain('avg', 1),
    max: plain('max', 1),
    min: plain('min', 1),
    any: plain('any', 1),
    last: plain('anyLast', 1),
    uniq: plain('uniq', 1),
    uniqexact: plain('uniqExact', 1),
    countdistinct: plain('uniqExact', 1),
    stddev: plain('stddevPop', 1),
    percentile: percentile('quantile'),
    percentileexact: percentile('quantileExact'),
    grouparray: { least: 1, most: 1, write: ([value]) => `groupArray(1000)(${value})` },
    topk: {
      least: 2,
      most: 2,
      literals: [1],
      write: ([value, count]) => `topK(${Math.max(1, Math.min(1000, Number(count)))})(${value})`,
    },
    time: {
      least: 2,
      most: 2,
      literals: [1],
      write: ([value, seconds]) =>
        `toUnixTimestamp(toStartOfInterval(${value}, toIntervalSecond(${Math.max(1, Number(seconds))})))`,
    },
    tostring: plain('toString', 1),
    tounixtimestamp: plain('toUnixTimestamp', 1),
    tounixtimestamp64micro: plain('toUnixTimestamp64Micro', 1),
    if: plain('if', 3),
    abs: plain('abs', 1),
    floor: plain('floor', 1, 2),
    ceil: plain('ceil', 1, 2),
    round: plain('round', 1, 2),
    log2: plain('log2', 1),
    lower: plain('lower', 1),
    upper: plain('upper', 1),
    length: plain('length', 1),
    concat: plain('concat', 1, 16),
    substring: plain('substring', 2, 3),
    position: plain('position', 2),
    has: plain('has', 2),
    bitand: plain('bitAnd', 2),
    touint64: plain('toUInt64', 1),
    tofloat64: plain('toFloat64', 1),
    now: plain('now', 0),
  } satisfies Record<string, SqlFunction>),
);

/** As the docs and suggestions spell them. */
export const FUNCTION_NAMES: readonly string[] = `Count Sum Avg Max Min Any Last Uniq UniqExact
  countDistinct Stddev Percentile PercentileExact groupArray TopK time Enum toString toUnixTimestamp
  toUnixTimestamp64Micro if abs floor ceil round log2 lower upper length concat substring position
  has bitAnd toUInt64 toFloat64 now`.split(/\s+/);
