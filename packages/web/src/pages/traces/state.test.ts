import fc from 'fast-check';
import { expect, test } from 'vitest';
import { apiFilters, readTracesState, type TracesState, writeTracesState } from './state.ts';

const SEED = { seed: 20_261_124 };
const word = fc.string({ minLength: 1, maxLength: 12 }).map((text) => text.replaceAll(',', '_'));
const words = fc.array(word, { maxLength: 3 });
const duration = fc.option(fc.nat(1e9), { nil: undefined });
const states: fc.Arbitrary<TracesState> = fc.record({
  range: fc.oneof(
    fc.record({ kind: fc.constant('last' as const), minutes: fc.integer({ min: 1, max: 9_999 }) }),
    fc.nat(1e9).map((at) => ({ kind: 'between' as const, startUs: at, endUs: at + 5 })),
  ),
  isLive: fc.boolean(),
  service: words,
  endpoint: fc.string(),
  method: words,
  status: words,
  minDurationUs: duration,
  maxDurationUs: duration,
  text: fc.string(),
  at: fc.string(),
});

test('a link reproduces the view', () => {
  fc.assert(
    fc.property(states, (state) => {
      const link = writeTracesState(state).toString();
      expect(readTracesState(new URLSearchParams(link))).toEqual(state);
    }),
    SEED,
  );
});

test('a broken link shows the default view', () => {
  const broken = new URLSearchParams('last=soon&from=9&to=3&min=-1&max=NaN&live=yes');
  expect(readTracesState(broken)).toEqual(readTracesState(new URLSearchParams()));
});

test('filters reach the API by its names, the range resolved', () => {
  const state = readTracesState(
    new URLSearchParams('last=5&service=a,b&status=5xx&min=100&text=x'),
  );
  expect(apiFilters(state, 600_000_000)).toEqual({
    start: 300_000_000,
    end: 600_000_000,
    service: ['a', 'b'],
    endpoint: '',
    method: [],
    status: ['5xx'],
    min_duration_us: 100,
    max_duration_us: undefined,
    text: 'x',
  });
});
