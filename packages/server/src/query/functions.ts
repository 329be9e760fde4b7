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
      write: ([value, count]) =>
        `topK(${Math.max(1, Math.min(1000, Math.floor(Number(count))))})(${value})`,
    },
    tostring: plain('toString', 1),
    tounixtimestamp: plain('toUnixTimestamp', 1),
    tounixtimestamp64micro: plain('toUnixTimestamp64Micro', 1),
    // Rows are single measurements here: the mean of means over intervals of one row is the mean.
    aavg: plain('avg', 1),
    spread: { least: 1, most: 1, write: ([value]) => `(max(${value}) - min(${value}))` },
    rspread: {
      least: 1,
      most: 1,
      write: ([value]) =>
        `if(minIf(${value}, ${value} > 0) > 0, max(${value}) / minIf(${value}, ${value} > 0), 0)`,
    },
    apdex: {
      least: 2,
      most: 2,
      literals: [1],
      write: ([value, most]) =>
        `(100 * (countIf(${value} > 0 AND ${value} <= ${most})
          + countIf(${value} > ${most} AND ${value} <= 4 * ${most}) / 2)
          / greatest(countIf(${value} > 0), 1))`,
    },
    percentage: {
      least: 2,
      most: 2,
      write: ([part, whole]) => `if((${whole}) = 0, 0, 100 * (${part}) / (${whole}))`,
    },
    histogram: {
      least: 2,
      most: 2,
      literals: [1],
      write: ([value, bins]) =>
        `histogram(${Math.max(1, Math.min(250, Math.floor(Number(bins))))})(${value})`,
    },
    mask: {
      least: 2,
      most: 2,
      literals: [1],
      write: ([ip, bits]) => {
        const wide = Math.max(0, Math.min(128, Math.floor(Number(bits))));
        return `if(isIPv4String(${ip}),
          toString(tupleElement(IPv4CIDRToRange(toIPv4OrDefault(${ip}), ${Math.min(32, wide)}), 1)),
          toString(tupleElement(IPv6CIDRToRange(toIPv6OrDefault(${ip}), ${wide}), 1)))`;
      },
    },
    if: plain('if', 3),
    multiif: { least: 3, most: 65, write: (args) => `multiIf(${args.join(', ')})` },
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
export const FUNCTION_NAMES: readonly string[] = `Count Sum AAvg Spread Rspread Apdex PerSecond
  nonNegativeDerivative node_type Percentage Histogram mask exist Avg Max Min Any Last Uniq UniqExact
  countDistinct Stddev Percentile PercentileExact groupArray TopK time Enum toString toUnixTimestamp
  toUnixTimestamp64Micro if abs floor ceil round log2 lower upper length concat substring position
  has bitAnd toUInt64 toFloat64 now`.split(/\s+/);

/** What `node_type` says of a tag's value, by the tag without its end; `auto`: it depends. */
export const NODE_TYPES: Readonly<Record<string, 'ip' | 'host' | 'gprocess' | 'service' | 'auto'>> =
  {
    ip: 'ip',
    host: 'host',
    process_id: 'gprocess',
    process_kname: 'gprocess',
    app_service: 'service',
    app_instance: 'service',
    auto_service: 'auto',
  };

/** Functions that make one number of many rows, and those that turn it into a rate. */
const AGGREGATES = `Count Sum Avg AAvg Max Min Any Last Uniq UniqExact countDistinct Stddev Spread
  Rspread Apdex Percentile PercentileExact groupArray TopK Histogram`.split(/\s+/);
const RATES = ['PerSecond', 'nonNegativeDerivative', 'Percentage'];

/** What `show metrics functions` says of a function: 1 aggregates, 2 makes a rate, 3 computes. */
export function functionType(name: string): 1 | 2 | 3 {
  if (AGGREGATES.includes(name)) return 1;
  return RATES.includes(name) ? 2 : 3;
}
