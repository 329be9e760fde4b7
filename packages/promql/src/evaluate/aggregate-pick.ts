// Aggregations that answer some of their input's series: topk, bottomk, limitk, limit_ratio.
import { labelsKey } from '../labels.ts';
import type { AggregationOperator } from '../parse/ast.ts';
import type { AggregationContext, Group } from './aggregate.ts';
import { MESSAGES } from './annotations.ts';
import { FLOAT, HISTOGRAM, NONE, type Row } from './row.ts';

type Pick = (context: AggregationContext, groups: readonly Group[]) => Row[];

/** The rows with only the picked steps, in the order in which they were picked first. */
function picked(
  context: AggregationContext,
  groups: readonly Group[],
  pick: (rows: readonly Row[], step: number) => readonly Row[],
): Row[] {
  const kept = new Map<Row, Uint8Array>();
  for (const { rows } of groups) {
    for (let step = 0; step < context.grid.steps; step++) {
      for (const row of pick(rows, step)) {
        const has = kept.get(row) ?? new Uint8Array(context.grid.steps);
        has[step] = row.has[step] ?? NONE;
        kept.set(row, has);
      }
    }
  }
  return [...kept].map(([row, has]) => ({ ...row, has }));
}

const limitOf = (context: AggregationContext, step: number): number =>
  Math.max(0, Math.trunc(context.parameter(step)));

/** `isWorse` orders candidates: the worst of the kept gives way. NaN is worse than any number. */
function extremes(isWorse: (a: number, b: number) => boolean): Pick {
  const worse = (a: number, b: number): boolean => {
    if (Number.isNaN(a)) return !Number.isNaN(b);
    return !Number.isNaN(b) && isWorse(a, b);
  };
  return (context, groups) => {
    const { evaluation, aggregation } = context;
    const hasHistograms = groups.some(({ rows }) =>
      rows.some((row) => row.has.includes(HISTOGRAM)),
    );
    if (hasHistograms) {
      const message = MESSAGES.histogramIgnored(aggregation.operator);
      evaluation.annotations.inform(message, aggregation.expression.range);
    }
    return picked(context, groups, (rows, step) => {
      const value = (row: Row): number => row.values[step] ?? Number.NaN;
      const floats = rows.filter((row) => row.has[step] === FLOAT);
      const best = floats.sort((a, b) => {
        if (worse(value(a), value(b))) return 1;
        return worse(value(b), value(a)) ? -1 : 0;
      });
      return best.slice(0, limitOf(context, step));
    });
  };
}

/** The share of 2^32 that a series falls on: always the same for the same labels (FNV-1a). */
function shareOf(row: Row): number {
  let hash = 0x811c9dc5;
  for (const character of labelsKey(row.labels)) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  // FNV's high bits mix slowly: fold the low ones in.
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b) >>> 0;
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

export const PICKS: Readonly<Partial<Record<AggregationOperator, Pick>>> = {
  topk: extremes((a, b) => a < b),
  bottomk: extremes((a, b) => a > b),
  limitk: (context, groups) =>
    picked(context, groups, (rows, step) =>
      rows.filter((row) => row.has[step] !== NONE).slice(0, limitOf(context, step)),
    ),
  /** A negative ratio picks what the positive ratio of the rest leaves. */
  limit_ratio: (context, groups) =>
    picked(context, groups, (rows, step) => {
      const ratio = Math.max(-1, Math.min(1, context.parameter(step)));
      return rows.filter((row) => {
        if (row.has[step] === NONE) return false;
        return ratio >= 0 ? shareOf(row) < ratio : shareOf(row) >= 1 + ratio;
      });
    }),
};
