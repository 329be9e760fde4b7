import type { Parameters } from '../../data/api.ts';

const MINUTE_US = 60_000_000;

/** A range that ends now, or one that stands still. Both ends in µs, the end exclusive. */
export type TimeRange =
  | { readonly kind: 'last'; readonly minutes: number }
  | { readonly kind: 'between'; readonly startUs: number; readonly endUs: number };

/** All that the traces page shows, as its URL keeps it. */
export interface TracesState {
  readonly range: TimeRange;
  readonly isLive: boolean;
  readonly service: readonly string[];
  readonly endpoint: string;
  readonly method: readonly string[];
  readonly status: readonly string[];
  readonly minDurationUs: number | undefined;
  readonly maxDurationUs: number | undefined;
  readonly text: string;
  /** The trace under the cursor: coming back from a trace finds it again. */
  readonly at: string;
}

const DEFAULT_MINUTES = 15;

function listOf(params: URLSearchParams, name: string): readonly string[] {
  return (params.get(name) ?? '').split(',').filter((part) => part !== '');
}

function numberOf(params: URLSearchParams, name: string): number | undefined {
  const text = params.get(name);
  if (text === null || text.trim() === '') return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function readRange(params: URLSearchParams): TimeRange {
  const startUs = numberOf(params, 'from');
  const endUs = numberOf(params, 'to');
  if (startUs !== undefined && endUs !== undefined && startUs < endUs) {
    return { kind: 'between', startUs, endUs };
  }
  const minutes = numberOf(params, 'last');
  return {
    kind: 'last',
    minutes: minutes === undefined || minutes === 0 ? DEFAULT_MINUTES : minutes,
  };
}

/** Reads the URL. What it cannot read stands at its default: a link never breaks the page. */
export function readTracesState(params: URLSearchParams): TracesState {
  return {
    range: readRange(params),
    isLive: params.get('live') === '1',
    service: listOf(params, 'service'),
    endpoint: params.get('endpoint') ?? '',
    method: listOf(params, 'method'),
    status: listOf(params, 'status'),
    minDurationUs: numberOf(params, 'min'),
    maxDurationUs: numberOf(params, 'max'),
    text: params.get('text') ?? '',
    at: params.get('at') ?? '',
  };
}

/** Writes the URL; what stands at its default is left out. Inverse of `readTracesState`. */
export function writeTracesState(state: TracesState): URLSearchParams {
  const { range } = state;
  const params = new URLSearchParams();
  const put = (name: string, value: string | number | undefined): void => {
    if (value !== undefined && value !== '') params.set(name, String(value));
  };
  if (range.kind === 'between') {
    put('from', range.startUs);
    put('to', range.endUs);
  } else if (range.minutes !== DEFAULT_MINUTES) put('last', range.minutes);
  if (state.isLive) put('live', 1);
  put('service', state.service.join(','));
  put('endpoint', state.endpoint);
  put('method', state.method.join(','));
  put('status', state.status.join(','));
  put('min', state.minDurationUs);
  put('max', state.maxDurationUs);
  put('text', state.text);
  put('at', state.at);
  return params;
}

/** The range in µs, given what "now" is. */
export function resolveRange(range: TimeRange, nowUs: number): { start: number; end: number } {
  if (range.kind === 'between') return { start: range.startUs, end: range.endUs };
  return { start: Math.max(0, nowUs - range.minutes * MINUTE_US), end: nowUs };
}

/** The filters as the API names them. */
export function apiFilters(state: TracesState, nowUs: number): Parameters {
  return {
    ...resolveRange(state.range, nowUs),
    service: state.service,
    endpoint: state.endpoint,
    method: state.method,
    status: state.status,
    min_duration_us: state.minDurationUs,
    max_duration_us: state.maxDurationUs,
    text: state.text,
  };
}

export function hasFilters(state: TracesState): boolean {
  const { service, endpoint, method, status, minDurationUs, maxDurationUs, text } = state;
  const isNarrow = minDurationUs !== undefined || maxDurationUs !== undefined;
  return [...service, ...method, ...status, endpoint, text].some((part) => part !== '') || isNarrow;
}

/** Without filters; the range stays. */
export function clearFilters(state: TracesState): TracesState {
  return {
    ...state,
    service: [],
    endpoint: '',
    method: [],
    status: [],
    minDurationUs: undefined,
    maxDurationUs: undefined,
    text: '',
  };
}
