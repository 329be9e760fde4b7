import type { Expression, Select } from './syntax.ts';

/** What WHERE leaves of `time`, seconds, both ends inclusive; NaN: open. */
export interface TimeBounds {
  readonly first: number;
  readonly last: number;
}

export function boundsOf(select: Select): TimeBounds {
  const bounds = { first: Number.NaN, last: Number.NaN };
  if (select.where !== undefined) readBounds(select.where, bounds);
  return bounds;
}

/**
 * Seconds that a group of the answer stands for: the step of `time(…, n)` times its window, or what
 * WHERE leaves between its bounds on `time`. Undefined when the statement says neither.
 */
export function periodOf(select: Select): number | undefined {
  const values = [...select.items.map(({ value }) => value), ...select.groupBy];
  for (const value of values) {
    if (value.kind !== 'call' || value.name.toLowerCase() !== 'time') continue;
    const [, step, window] = value.args;
    if (step?.kind !== 'number') continue;
    return positive(Number(step.text) * (window?.kind === 'number' ? Number(window.text) : 1));
  }
  const { first, last } = boundsOf(select);
  return positive(last - first);
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
