import type { Call, Expression } from '../parse/ast.ts';
import { type Evaluation, executionFault, type TimeGrid, timeAt } from './evaluation.ts';
import { HISTOGRAM_FUNCTIONS } from './histogram-functions.ts';
import { evaluateInfo } from './info.ts';
import { LABEL_FUNCTIONS } from './label-functions.ts';
import { evaluateRangeCall, isRangeFunction } from './range-call.ts';
import { FLOAT, newRow, type Row, setSample, type Value, vectorOf } from './row.ts';
import { CALENDAR, MATHEMATICS, type ScalarFunction } from './sample-functions.ts';
import { selectInstants } from './select.ts';

/** Evaluated arguments of a call, and where they stand. */
export interface CallArguments {
  readonly call: Call;
  readonly grid: TimeGrid;
  readonly evaluation: Evaluation;
  rows(index: number): readonly Row[];
  /** NaN where there is no such argument. */
  scalar(index: number, step: number): number;
  text(index: number): string;
  readonly count: number;
}

export type VectorFunction = (args: CallArguments) => readonly Row[];

export async function evaluateCall(
  evaluation: Evaluation,
  call: Call,
  grid: TimeGrid,
): Promise<Value> {
  const { name } = call.signature;
  if (isRangeFunction(name)) return evaluateRangeCall(evaluation, call, grid);
  if (name === 'info') return evaluateInfo(evaluation, call, grid);
  const [first] = call.args;
  const selector = first === undefined ? undefined : unwrapped(first);
  if (name === 'timestamp' && selector?.kind === 'vector-selector') {
    return vectorOf(await selectInstants(evaluation, grid, selector, true));
  }
  const args = await evaluateArguments(evaluation, call, grid);
  const scalar = SCALAR_RESULTS[name];
  if (scalar !== undefined) {
    return {
      kind: 'scalar',
      values: Float64Array.from({ length: grid.steps }, (_, i) => scalar(args, i)),
    };
  }
  const vector = VECTOR_RESULTS[name];
  if (vector === undefined) throw executionFault(`BUG: function ${name} has no evaluation`);
  return vectorOf(vector(args));
}

function unwrapped(expression: Expression): Expression {
  let inner = expression;
  while (inner.kind === 'parentheses') inner = inner.expression;
  return inner;
}

async function evaluateArguments(
  evaluation: Evaluation,
  call: Call,
  grid: TimeGrid,
): Promise<CallArguments> {
  const values: Value[] = [];
  for (const arg of call.args) values.push(await evaluation.evaluate(arg, grid));
  return {
    call,
    grid,
    evaluation,
    count: values.length,
    rows(index) {
      const value = values[index];
      return value?.kind === 'vector' ? value.rows : [];
    },
    scalar(index, step) {
      const value = values[index];
      return value?.kind === 'scalar' ? (value.values[step] ?? Number.NaN) : Number.NaN;
    },
    text(index) {
      const value = values[index];
      return value?.kind === 'string' ? value.value : '';
    },
  };
}

const seconds = (ms: number): number => ms / 1000;

const SCALAR_RESULTS: Readonly<Record<string, (args: CallArguments, step: number) => number>> = {
  pi: () => Math.PI,
  time: ({ grid }, step) => seconds(timeAt(grid, step)),
  start: ({ evaluation }) => seconds(evaluation.query.startMs),
  end: ({ evaluation }) => seconds(evaluation.query.endMs),
  step: ({ evaluation: { query } }) => (query.isInstant ? 0 : seconds(query.stepMs)),
  range: ({ evaluation: { query } }) => seconds(query.endMs - query.startMs),
  min_of: (args, step) => Math.min(args.scalar(0, step), args.scalar(1, step)),
  max_of: (args, step) => Math.max(args.scalar(0, step), args.scalar(1, step)),
  scalar(args, step) {
    const floats = args.rows(0).filter((row) => row.has[step] === FLOAT);
    return floats.length === 1 ? (floats[0]?.values[step] ?? Number.NaN) : Number.NaN;
  },
};

/** Floats through a function, step by step; histograms have no answer. */
function ofFloats(compute: ScalarFunction): VectorFunction {
  return (args) => {
    const { grid } = args;
    return args.rows(0).map((row) => {
      const out = newRow(row.labels, grid.steps, true);
      for (let step = 0; step < grid.steps; step++) {
        if (row.has[step] !== FLOAT) continue;
        const value = compute(row.values[step] ?? Number.NaN, (index) => args.scalar(index, step));
        if (value !== undefined) setSample(out, step, value);
      }
      return out;
    });
  };
}

/** Without an argument: of the time of each step. */
function ofDate(compute: ScalarFunction): VectorFunction {
  const ofValues = ofFloats(compute);
  return (args) => {
    if (args.count > 0) return ofValues(args);
    const row = newRow([], args.grid.steps, false);
    for (let step = 0; step < args.grid.steps; step++) {
      setSample(row, step, seconds(timeAt(args.grid, step)));
    }
    return ofValues({ ...args, rows: () => [row] });
  };
}

const VECTOR_RESULTS: Readonly<Record<string, VectorFunction>> = {
  ...Object.fromEntries(MATHEMATICS.map(([name, compute]) => [name, ofFloats(compute)])),
  ...Object.fromEntries(CALENDAR.map(([name, compute]) => [name, ofDate(compute)])),
  ...HISTOGRAM_FUNCTIONS,
  ...LABEL_FUNCTIONS,
  vector(args) {
    const row = newRow([], args.grid.steps, false);
    for (let step = 0; step < args.grid.steps; step++) setSample(row, step, args.scalar(0, step));
    return [row];
  },
  timestamp: ({ rows, grid }) =>
    rows(0).map((row) => {
      const out = newRow(row.labels, grid.steps, true);
      row.has.forEach((has, step) => {
        if (has !== 0) setSample(out, step, seconds(timeAt(grid, step)));
      });
      return out;
    }),
};
