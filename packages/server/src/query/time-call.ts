import type { TimeBounds } from './period.ts';
import { writeNumber } from './scope.ts';
import type { Expression } from './syntax.ts';
import { SqlError } from './tokens.ts';

type CallExpression = Extract<Expression, { kind: 'call' }>;

/** `time(time, interval[, window[, fill[, offset]]])`, as DeepFlow has it; all but fill in seconds. */
export interface TimeCall {
  readonly intervalS: number;
  /** Intervals that each row counts in: its own and the next ones, a sliding window. */
  readonly window: number;
  /** What an interval without rows has: nothing, 0, or NULL. */
  readonly fill: 'none' | 'zero' | 'null';
  /** Intervals begin that much later than on the multiples of their length. */
  readonly offsetS: number;
}

const WINDOW_MAX = 120;
/** Intervals that a filled answer has at most, a series. As many as a graph of Prometheus's has points. */
const FILLED_MAX = 11_000;

/** Throws `SqlError` where an argument is none of these. */
export function readTimeCall(call: CallExpression): TimeCall {
  const { args, position } = call;
  if (args.length < 2 || args.length > 5) {
    const message = `${call.name} has ${args.length} arguments, it takes 2 to 5`;
    throw new SqlError(message, position, 'time(time, interval, window, fill, offset)');
  }
  const [, interval, window, fill, offset] = args;
  return {
    intervalS: Math.max(1, Math.floor(numberOf(interval, 2, call) ?? 1)),
    window: Math.max(1, Math.min(WINDOW_MAX, Math.floor(numberOf(window, 3, call) ?? 1))),
    fill: fillOf(fill),
    offsetS: Math.floor(numberOf(offset, 5, call) ?? 0),
  };
}

function numberOf(
  value: Expression | undefined,
  place: number,
  call: CallExpression,
): number | undefined {
  if (value === undefined) return undefined;
  if (value.kind === 'number') return Number(writeNumber(value.text, value.position));
  const message = `argument ${place} of ${call.name} is not a number`;
  throw new SqlError(message, value.position, 'write the number itself');
}

function fillOf(value: Expression | undefined): TimeCall['fill'] {
  if (value === undefined) return 'none';
  const text =
    value.kind === 'number'
      ? value.text
      : value.kind === 'string'
        ? value.value
        : value.kind === 'name'
          ? value.name
          : '?';
  const fills: Readonly<Record<string, TimeCall['fill']>> = {
    '0': 'zero',
    null: 'null',
    none: 'none',
    '': 'none',
  };
  const fill = fills[text.toLowerCase()];
  if (fill !== undefined) return fill;
  throw new SqlError(`cannot fill with ${text}`, value.position, 'fill with none, null or 0');
}

/** Seconds since the epoch of the interval that a row counts in; one for each place of the window. */
export function timeSql(column: string, { intervalS, window, offsetS }: TimeCall): string {
  const at = offsetS === 0 ? column : `${column} - toIntervalSecond(${offsetS})`;
  const start = `toUnixTimestamp(toStartOfInterval(${at}, toIntervalSecond(${intervalS})))`;
  const shifted = offsetS === 0 ? start : `toUInt32(${start} + ${offsetS})`;
  return window === 1
    ? shifted
    : `toUInt32(${shifted} + arrayJoin(range(${window})) * ${intervalS})`;
}

/** WITH FILL for the intervals within the bounds; open bounds: between the first and the last row. */
export function fillSql(time: TimeCall, bounds: TimeBounds, position: number): string {
  const { intervalS, offsetS } = time;
  const floor = (at: number): number =>
    Math.floor((at - offsetS) / intervalS) * intervalS + offsetS;
  const isClosed = Number.isFinite(bounds.first) && Number.isFinite(bounds.last);
  if (!isClosed) {
    const fix = 'bound time from both sides in WHERE';
    throw new SqlError('fill does not know where to begin and to end', position, fix);
  }
  const [from, to] = [floor(bounds.first), floor(bounds.last) + intervalS];
  const count = (to - from) / intervalS;
  if (count > FILLED_MAX) {
    const message = `${count} intervals to fill, the most is ${FILLED_MAX}`;
    throw new SqlError(message, position, 'take a longer interval');
  }
  return `WITH FILL FROM toUInt32(${Math.max(0, from)}) TO toUInt32(${Math.max(0, to)}) STEP ${intervalS}`;
}
