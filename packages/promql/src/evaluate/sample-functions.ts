// Functions from one float to one float.

/** `scalar(i)` is the call's argument i at the same step. Undefined: no sample. */
export type ScalarFunction = (
  value: number,
  scalar: (index: number) => number,
) => number | undefined;

const degrees = (radians: number): number => (radians * 180) / Math.PI;
const radians = (angle: number): number => (angle * Math.PI) / 180;

function round(value: number, toNearest: number): number {
  // The inverse, since 1/0.1 is exact where 0.1 is not.
  const inverse = 1 / toNearest;
  return Math.floor(value * inverse + 0.5) / inverse;
}

export const MATHEMATICS: readonly (readonly [string, ScalarFunction])[] = [
  ['abs', Math.abs],
  ['ceil', Math.ceil],
  ['exp', Math.exp],
  ['floor', Math.floor],
  ['ln', Math.log],
  ['log2', Math.log2],
  ['log10', Math.log10],
  ['sgn', (value) => (Number.isNaN(value) ? value : Math.sign(value))],
  ['sqrt', Math.sqrt],
  ['acos', Math.acos],
  ['acosh', Math.acosh],
  ['asin', Math.asin],
  ['asinh', Math.asinh],
  ['atan', Math.atan],
  ['atanh', Math.atanh],
  ['cos', Math.cos],
  ['cosh', Math.cosh],
  ['sin', Math.sin],
  ['sinh', Math.sinh],
  ['tan', Math.tan],
  ['tanh', Math.tanh],
  ['deg', degrees],
  ['rad', radians],
  ['clamp_max', (value, scalar) => Math.min(scalar(1), value)],
  ['clamp_min', (value, scalar) => Math.max(scalar(1), value)],
  [
    'clamp',
    (value, scalar) =>
      scalar(2) < scalar(1) ? undefined : Math.max(scalar(1), Math.min(scalar(2), value)),
  ],
  ['round', (value, scalar) => round(value, Number.isNaN(scalar(1)) ? 1 : scalar(1))],
];

const MS_OF_DAY = 86_400_000;

const ofDate =
  (part: (date: Date) => number): ScalarFunction =>
  (seconds) =>
    part(new Date(Math.trunc(seconds) * 1000));

/** Of seconds since the epoch, in UTC. */
export const CALENDAR: readonly (readonly [string, ScalarFunction])[] = [
  ['minute', ofDate((date) => date.getUTCMinutes())],
  ['hour', ofDate((date) => date.getUTCHours())],
  ['day_of_week', ofDate((date) => date.getUTCDay())],
  ['day_of_month', ofDate((date) => date.getUTCDate())],
  [
    'day_of_year',
    ofDate(
      (date) =>
        Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / MS_OF_DAY) + 1,
    ),
  ],
  [
    'days_in_month',
    ofDate((date) =>
      new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
    ),
  ],
  ['month', ofDate((date) => date.getUTCMonth() + 1)],
  ['year', ofDate((date) => date.getUTCFullYear())],
];
