import { formatDuration, parseDuration, spellDuration } from '../../ui/format.ts';
import type { TracesState } from './state.ts';

/** Fields of the search box, as `field:value`. Anything else is free text. */
export const FIELDS = ['service', 'endpoint', 'method', 'status', 'duration'] as const;
type Field = (typeof FIELDS)[number];

export interface Token {
  readonly field: Field | undefined;
  readonly value: string;
}

/** What is typed, split at the first colon where a field stands before it. */
export function parseToken(input: string): Token {
  const text = input.trim();
  const colon = text.indexOf(':');
  const field = FIELDS.find((name) => name === text.slice(0, Math.max(0, colon)).toLowerCase());
  return field === undefined
    ? { field, value: text }
    : { field, value: text.slice(colon + 1).trim() };
}

interface DurationRange {
  readonly minDurationUs: number | undefined;
  readonly maxDurationUs: number | undefined;
}

/** `>10ms`, `<2s`, `10ms..2s`; `10ms` means at least. Undefined where it is none of these. */
export function parseDurationRange(text: string): DurationRange | undefined {
  const [low, high] = text.split('..');
  if (low !== undefined && high !== undefined) {
    const minDurationUs = parseDuration(low);
    const maxDurationUs = parseDuration(high);
    if (minDurationUs === undefined || maxDurationUs === undefined) return undefined;
    return minDurationUs <= maxDurationUs ? { minDurationUs, maxDurationUs } : undefined;
  }
  const us = parseDuration(text.replace(/^[<>]=?/, ''));
  if (us === undefined) return undefined;
  return text.startsWith('<')
    ? { minDurationUs: undefined, maxDurationUs: us }
    : { minDurationUs: us, maxDurationUs: undefined };
}

function withValue(values: readonly string[], value: string): readonly string[] {
  return values.includes(value) ? values : [...values, value];
}

/** The state with one more filter; a sentence where what was typed cannot be one. */
export function addToken(state: TracesState, input: string): TracesState | string {
  const { field, value } = parseToken(input);
  if (value === '') return field === undefined ? state : `${field}: needs a value`;
  switch (field) {
    case undefined:
      return { ...state, text: value };
    case 'endpoint':
      return { ...state, endpoint: value };
    case 'duration': {
      const range = parseDurationRange(value);
      return range === undefined
        ? `duration:${value} is not a duration; write duration:>10ms or duration:10ms..2s`
        : { ...state, ...range };
    }
    case 'method':
      return { ...state, method: withValue(state.method, value.toUpperCase()) };
    case 'status':
      return /^([1-5]xx|error|\d{3})$/.test(value)
        ? { ...state, status: withValue(state.status, value) }
        : `status:${value} is not a status; write error, 4xx, 5xx or a code such as 503`;
    case 'service':
      return { ...state, service: withValue(state.service, value) };
  }
}

export interface Chip {
  readonly field: Field | 'text';
  readonly value: string;
  /** What the box would need to say to make this filter again. */
  readonly input: string;
  /** The state without it. */
  readonly without: TracesState;
}

/** One chip for each filter, in the order of the fields. */
export function chipsOf(state: TracesState): readonly Chip[] {
  const chips: Chip[] = [];
  for (const field of ['service', 'method', 'status'] as const) {
    for (const value of state[field]) {
      const without = { ...state, [field]: state[field].filter((other) => other !== value) };
      chips.push({ field, value, input: `${field}:${value}`, without });
    }
  }
  const { endpoint, text, minDurationUs: min, maxDurationUs: max } = state;
  if (endpoint !== '') {
    const without = { ...state, endpoint: '' };
    chips.push({ field: 'endpoint', value: endpoint, input: `endpoint:${endpoint}`, without });
  }
  if (min !== undefined || max !== undefined) {
    const without = { ...state, minDurationUs: undefined, maxDurationUs: undefined };
    const shown = spellRange(min, max, formatDuration);
    const input = `duration:${spellRange(min, max, spellDuration)}`;
    chips.push({ field: 'duration', value: shown, input, without });
  }
  if (text !== '') {
    chips.push({ field: 'text', value: text, input: text, without: { ...state, text: '' } });
  }
  return chips;
}

function spellRange(
  min: number | undefined,
  max: number | undefined,
  spell: (us: number) => string,
): string {
  if (min !== undefined && max !== undefined) return `${spell(min)}..${spell(max)}`;
  return min === undefined ? `<${spell(max ?? 0)}` : `>${spell(min)}`;
}
