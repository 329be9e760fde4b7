// Whether an answer is what a script expects; a difference is a sentence.
import type { MatrixSeries, QueryAnswer, QueryValue } from '../evaluate/query.ts';
import { formatLabels, labelsKey } from '../labels.ts';
import { formatFloat } from '../parse/numbers.ts';
import { isClose, isSameSample, printSample } from './compare-samples.ts';
import type {
  AnnotationExpectation,
  Evaluate,
  Expectation,
  ExpectedSeries,
  TextMatch,
} from './script.ts';

/** The first difference; undefined where there is none. */
export function differenceOf(command: Evaluate, answer: QueryAnswer): string | undefined {
  const { expectation } = command;
  if (expectation.fails) return failureDifference(expectation, answer);
  if (answer.kind === 'error') return `failed: ${answer.error.message}`;
  const { warnings, infos } = answer.annotations;
  return (
    annotationDifference('warning', expectation.warn, warnings) ??
    annotationDifference('info', expectation.info, infos) ??
    valueDifference(command, answer.value)
  );
}

function failureDifference({ failure }: Expectation, answer: QueryAnswer): string | undefined {
  if (answer.kind !== 'error') return 'expected to fail, but there is an answer';
  const { message } = answer.error;
  const missed = failure.find((match) => !isMatch(match, message));
  return missed && `expected the error ${missed.text}, got ${message}`;
}

function annotationDifference(
  kind: string,
  expected: AnnotationExpectation | undefined,
  texts: readonly string[],
): string | undefined {
  if (expected === undefined) return undefined;
  if (!expected.isExpected) {
    return texts.length === 0 ? undefined : `expected no ${kind}, got ${texts.join('; ')}`;
  }
  if (texts.length === 0) return `expected a ${kind}, got none`;
  if (expected.matches.length === 0) return undefined;
  const missed = expected.matches.find((match) => !texts.some((text) => isMatch(match, text)));
  if (missed !== undefined) return `expected the ${kind} ${missed.text}, got ${texts.join('; ')}`;
  const extra = texts.find((text) => !expected.matches.some((match) => isMatch(match, text)));
  return extra && `${kind} not expected: ${extra}`;
}

const isMatch = ({ kind, text }: TextMatch, candidate: string): boolean =>
  kind === 'msg' ? candidate === text : new RegExp(text).test(candidate);

function valueDifference(command: Evaluate, value: QueryValue): string | undefined {
  const { expectation } = command;
  if (expectation.string !== undefined || value.kind === 'string') {
    if (value.kind === 'string' && value.value === expectation.string) return undefined;
    const got = value.kind === 'string' ? value.value : `a ${value.kind}`;
    return `expected the string ${String(expectation.string)}, got ${got}`;
  }
  if (value.kind === 'scalar') {
    const expected = expectation.scalar;
    if (expected === undefined) return 'expected series, got a scalar';
    if (isClose(expected, value.value)) return undefined;
    return `expected ${formatFloat(expected)}, got ${formatFloat(value.value)}`;
  }
  if (expectation.scalar !== undefined) return `expected a scalar, got a ${value.kind}`;
  return seriesDifference(command, value);
}

type SeriesValue = Extract<QueryValue, { kind: 'vector' | 'matrix' }>;

function seriesDifference(command: Evaluate, value: SeriesValue): string | undefined {
  const { expectation, times } = command;
  const got: readonly MatrixSeries[] =
    value.kind === 'matrix'
      ? value.series
      : value.samples.map(({ labels, ...point }) => ({ labels, points: [point] }));
  const expected = new Map(expectation.series.map((one) => [labelsKey(one.labels), one]));
  const keys = got.map(({ labels }) => labelsKey(labels));
  if (new Set(keys).size < keys.length) return 'two series of equal labels';
  const grid = expectation.vectorTimes ?? ('timeMs' in times ? undefined : times);
  for (const [i, series] of got.entries()) {
    const wanted = expected.get(keys[i] ?? '');
    if (wanted === undefined) return `series not expected: ${printSeries(series)}`;
    const inOrder = expectation.series[i];
    if (expectation.isOrdered && inOrder !== wanted) {
      const place = `${formatLabels(inOrder?.labels ?? [])} at place ${i + 1}`;
      return `expected ${place}, got ${formatLabels(series.labels)}`;
    }
    const difference = pointsDifference(wanted, series, grid);
    if (difference !== undefined) return difference;
  }
  const missing = expectation.series.find(
    ({ labels, samples }) =>
      !keys.includes(labelsKey(labels)) && samples.some((sample) => sample !== undefined),
  );
  return missing && `series missing: ${formatLabels(missing.labels)}`;
}

/** Without a grid the one point of an instant. */
function pointsDifference(
  { labels, samples, namesHint }: ExpectedSeries,
  { points }: MatrixSeries,
  grid: { readonly startMs: number; readonly stepMs: number } | undefined,
): string | undefined {
  const { startMs, stepMs } = grid ?? { startMs: points[0]?.timeMs ?? 0, stepMs: 1 };
  const byTime = new Map(points.map((point) => [point.timeMs, point]));
  const where = (timeMs: number): string => `${formatLabels(labels)} at ${timeMs / 1000} s`;
  for (const [i, sample] of samples.entries()) {
    const timeMs = startMs + i * stepMs;
    const point = byTime.get(timeMs);
    byTime.delete(timeMs);
    const got = point?.histogram ?? point?.value;
    if (isSameSample(sample === 'stale' ? undefined : sample, got, namesHint)) continue;
    return `${where(timeMs)}: expected ${printSample(sample)}, got ${printSample(got)}`;
  }
  const [extra] = byTime.values();
  if (extra === undefined) return undefined;
  return `${where(extra.timeMs)}: ${printSample(extra.histogram ?? extra.value)} not expected`;
}

function printSeries({ labels, points }: MatrixSeries): string {
  const shown = points.slice(0, 3).map((point) => printSample(point.histogram ?? point.value));
  return `${formatLabels(labels)} ${shown.join(' ')}`;
}
