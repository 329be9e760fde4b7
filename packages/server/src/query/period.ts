import type { Expression, Select } from './syntax.ts';

/**
 * Seconds that a group of the answer stands for: the step of `time(…, n)`, or what WHERE leaves
 * between its bounds on `time`. Undefined when the statement says neither.
 */
export function periodOf(select: Select): number | undefined {
  const values = [...select.items.map(({ value }) => value), ...select.groupBy];
  for (const value of values) {
    const step =
      value.kind === 'call' && value.name.toLowerCase() === 'time' ? value.args[1] : undefined;
    if (step?.kind === 'number') return positive(Number(step.text));
  }
  const bounds = { first: Number.NaN, last: Number.NaN };
  if (select.where !== undefined) readBounds(select.where, bounds);
  return positive(bounds.last - bounds.first);
}

function readBounds(value: Expression, bounds: { first: number; last: number }): void {
  if (value.kind !== 'binary') return;
  const { operator, left, right } = value;
  if (operator === 'AND') {
    readBounds(left, bounds);
    readBounds(right, bounds);
    return;
  }
  if (left.kind !== 'name' || left.name !== 'time' || right.kind !== 'number') return;
  if (operator === '>=' || operator === '>') bounds.first = Number(right.text);
  if (operator === '<=' || operator === '<') bounds.last = Number(right.text);
}

const positive = (seconds: number): number | undefined =>
  Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
