import { type Matcher, parseDuration, parsePromql } from '@thalweg/promql';
import { badParameter, PrometheusError } from './envelope.ts';

/** Parameters of a request: the query string, and a form behind it. */
export interface Parameters {
  /** '' when absent. The form's value wins. */
  get(name: string): string;
  all(name: string): readonly string[];
}

export function parametersOf(url: string, form: string | undefined): Parameters {
  const question = url.indexOf('?');
  const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
  const posted = new URLSearchParams(form ?? '');
  return {
    get: (name) => posted.get(name) ?? query.get(name) ?? '',
    all: (name) => [...posted.getAll(name), ...query.getAll(name)],
  };
}

/** The furthest that a time may lie off: what a 64-bit count of milliseconds holds exactly here. */
const TIME_MS_MAX = 8.64e15;

/** Seconds since the epoch with decimals, or RFC 3339. */
export function readTime(parameters: Parameters, name: string, absentMs?: number): number {
  const text = parameters.get(name);
  if (text === '' && absentMs !== undefined) return absentMs;
  const seconds = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)
    ? Number(text)
    : Number.NaN;
  const isDate = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/i.test(text);
  const timeMs = isDate ? Date.parse(text) : Math.round(seconds * 1e3);
  if (Number.isNaN(timeMs) || Math.abs(timeMs) > TIME_MS_MAX) {
    throw badParameter(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
  }
  return timeMs;
}

/** Seconds with decimals, or a duration such as `5m`. Undefined when absent. */
export function readDurationMs(parameters: Parameters, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === '') return undefined;
  const seconds = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)
    ? Number(text)
    : undefined;
  const durationMs = seconds === undefined ? parseDuration(text) : seconds * 1e3;
  if (typeof durationMs !== 'number' || !Number.isFinite(durationMs)) {
    throw badParameter(name, `cannot parse ${JSON.stringify(text)} to a valid duration`);
  }
  return durationMs;
}

/** 0: no limit. */
export function readLimit(parameters: Parameters, name = 'limit'): number {
  const text = parameters.get(name);
  if (text === '') return 0;
  if (!/^[+-]?\d{1,15}$/.test(text)) throw badParameter(name, 'limit must be a number');
  const limit = Number(text);
  if (limit < 0) throw badParameter(name, 'limit must be non-negative');
  return limit;
}

export interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

/** Absent ends are open. */
export function readRange(parameters: Parameters): TimeRange {
  const startMs = readTime(parameters, 'start', -TIME_MS_MAX);
  const endMs = readTime(parameters, 'end', TIME_MS_MAX);
  if (endMs < startMs) throw badParameter('end', 'end timestamp must not be before start time');
  return { startMs, endMs };
}

const SELECTORS_MAX = 64;

/** The selectors of `match[]`, each as its matchers. */
export function readSelectors(parameters: Parameters): (readonly Matcher[])[] {
  const texts = parameters.all('match[]');
  if (texts.length > SELECTORS_MAX) {
    throw badParameter('match[]', `${texts.length} selectors, the most is ${SELECTORS_MAX}`);
  }
  return texts.map((text) => {
    const parsed = parsePromql(text);
    if (parsed.kind === 'invalid') throw badParameter('match[]', parsed.error.message);
    if (parsed.expression.kind !== 'vector-selector') {
      throw badParameter('match[]', `${JSON.stringify(text)} is not a selector of series`);
    }
    return parsed.expression.matchers;
  });
}

export function needSelectors(parameters: Parameters): (readonly Matcher[])[] {
  const selectors = readSelectors(parameters);
  if (selectors.length > 0) return selectors;
  throw new PrometheusError('bad_data', 'no match[] parameter provided');
}
