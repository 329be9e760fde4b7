// What rows of `l7_flow_log` measure, under DeepFlow's names, each as SQL. PromQL's virtual metrics and
// the SQL dialect's derived columns are read from here.

/** A number that many rows have together. */
export type Measure = { readonly doc: string; readonly unit: 'µs' | 'bytes' | '%' | '' } & (
  | {
      /** Adds up over rows: `sql` is of one row. */
      readonly kind: 'counter';
      readonly sql: string;
    }
  | {
      /** Does not add up: `aggregate` is over rows; of several groups the largest counts. */
      readonly kind: 'gauge';
      readonly aggregate: string;
    }
  | {
      /** `scale * part / whole` of two counters, or `scale * (1 - part / whole)`. */
      readonly kind: 'quotient';
      readonly part: string;
      readonly whole: string;
      readonly scale: number;
      readonly isComplement: boolean;
    }
);
export type Measures = Readonly<Record<string, Measure>>;

const counter = (sql: string, doc: string, unit: Measure['unit'] = ''): Measure => ({
  kind: 'counter',
  sql,
  doc,
  unit,
});
const quotient = (
  part: string,
  whole: string,
  rest: { doc?: string; scale?: number; unit?: Measure['unit']; isComplement?: boolean } = {},
): Measure => ({
  kind: 'quotient',
  part,
  whole,
  scale: rest.scale ?? 100,
  isComplement: rest.isComplement ?? false,
  doc: rest.doc ?? `${part} of ${whole}.`,
  unit: rest.unit ?? '%',
});

/** Times are of exchanges whose both halves were seen, and that took any. */
const IS_TIMED = '(`type` = 2 AND `response_duration` > 0)';

const COUNTS: Measures = {
  request: counter('`type` != 1', 'Requests seen.'),
  response: counter('`type` != 0', 'Responses seen.'),
  error: counter('`response_status` IN (3, 4)', 'Answers that are errors.'),
  client_error: counter('`response_status` = 4', "Errors of the client's making."),
  server_error: counter('`response_status` = 3', "Errors of the server's making."),
  timeout: counter('`response_status` = 2', 'Requests without an answer in time.'),
};
const RATIOS: Measures = {
  response_ratio: quotient('response', 'request'),
  success_ratio: quotient('error', 'response', {
    isComplement: true,
    doc: 'Responses that are no error.',
  }),
  error_ratio: quotient('error', 'response'),
  client_error_ratio: quotient('client_error', 'response'),
  server_error_ratio: quotient('server_error', 'response'),
};
const TIMEOUT_RATIO = quotient('timeout', 'request');
const TIMES: Measures = {
  rrt: quotient('rrt_sum', 'rrt_count', {
    scale: 1,
    unit: 'µs',
    doc: 'Mean time to the answer.',
  }),
  rrt_max: {
    kind: 'gauge',
    aggregate: `if(countIf(${IS_TIMED}) = 0, NULL, maxIf(\`response_duration\`, ${IS_TIMED}))`,
    doc: 'Longest time to the answer.',
    unit: 'µs',
  },
  rrt_sum: counter(`if(${IS_TIMED}, \`response_duration\`, 0)`, 'All times to answers.', 'µs'),
  rrt_count: counter(IS_TIMED, 'Answers in rrt_sum.'),
};
const ROW = counter('1', 'Rows.');

/** The same counts as the network tables name them. */
const OF_CONNECTIONS: Measures = Object.fromEntries(
  [...Object.entries(COUNTS), ...Object.entries(RATIOS)]
    .filter(([name]) => /error|request$|response$|timeout/.test(name))
    .map(([name, measure]) => [
      `l7_${name}`,
      measure.kind === 'quotient'
        ? { ...measure, part: `l7_${measure.part}`, whole: `l7_${measure.whole}` }
        : measure,
    ]),
);

/** By DeepFlow's table; what is named after a stored column is in that table already. */
export const APPLICATION: Measures = {
  ...COUNTS,
  ...RATIOS,
  timeout_ratio: TIMEOUT_RATIO,
  ...TIMES,
  row: ROW,
};
export const NETWORK: Measures = {
  ...OF_CONNECTIONS,
  ...TIMES,
  flow_load: {
    kind: 'gauge',
    aggregate: 'uniqExactIf(`flow_id`, `flow_id` != 0)',
    doc: 'Connections that carried a request.',
    unit: '',
  },
  row: ROW,
};
export const LOG: Measures = {
  ...COUNTS,
  ...RATIOS,
  session_length: counter(
    '`request_length` + `response_length`',
    'Bodies of requests and responses.',
    'bytes',
  ),
  log_count: ROW,
  row: ROW,
};

/** The SQL of a measure over rows of `l7_flow_log`; NULL where nothing was measured. */
export function aggregateSql(measures: Measures, name: string): string {
  const measure = measures[name];
  if (measure === undefined) throw new Error(`BUG: no measure ${name}`);
  if (measure.kind === 'gauge') return measure.aggregate;
  if (measure.kind === 'counter') return `sum(${measure.sql})`;
  const part = aggregateSql(measures, measure.part);
  const whole = aggregateSql(measures, measure.whole);
  return quotientSql(measure, part, whole);
}

/** NULL where the whole is 0. */
export function quotientSql(
  { scale, isComplement }: { readonly scale: number; readonly isComplement: boolean },
  part: string,
  whole: string,
): string {
  const share = `${part} / ${whole}`;
  const value = isComplement ? `(1 - ${share})` : share;
  return `if(${whole} = 0, NULL, ${scale === 1 ? value : `${scale} * ${value}`})`;
}
