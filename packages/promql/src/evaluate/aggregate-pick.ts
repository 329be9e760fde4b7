// Aggregations that answer some of their input's series: topk, bottomk, limitk, limit_ratio.
import type { AggregationOperator } from '../parse/ast.ts';
import type { AggregationContext, Group } from './aggregate.ts';
import { MESSAGES } from './annotations.ts';
import { labelsShare } from './labels-hash.ts';
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

export const PICKS: Readonly<Partial<Record<AggregationOperator, Pick>>> = {
  topk: extremes((a, b) => a < b),
  bottomk: extremes((a, b) => a > b),
  limitk: (context, groups) =>
    picked(context, groups, (rows, step) =>
      rows.filter((row) => row.has[step] !== NONE).slice(0, limitOf(context, step)),
    ),
  /** A negative ratio picks what the positive ratio of the rest leaves. */
  limit_ratio(context, groups) {
    const shares = new Map<Row, number>();
    for (const { rows } of groups) {
      for (const row of rows) shares.set(row, labelsShare(row.labels));
    }
    return picked(context, groups, (rows, step) => {
      const ratio = Math.max(-1, Math.min(1, context.parameter(step)));
      return rows.filter((row) => {
        const share = shares.get(row) ?? 1;
        return row.has[step] !== NONE && (ratio >= 0 ? share < ratio : share >= 1 + ratio);
      });
    });
  },
};
