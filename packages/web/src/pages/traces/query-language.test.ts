import { expect, test } from 'vitest';
import { addToken, chipsOf, parseDurationRange } from './query-language.ts';
import { readTracesState, type TracesState, writeTracesState } from './state.ts';

const NONE = readTracesState(new URLSearchParams());

test.each([
  { input: 'service:cart', url: 'service=cart' },
  { input: 'method:post', url: 'method=POST' },
  { input: 'status:5xx', url: 'status=5xx' },
  { input: 'status:404', url: 'status=404' },
  { input: 'duration:>10ms', url: 'min=10000' },
  { input: 'duration:<1.5s', url: 'max=1500000' },
  { input: 'duration:300us..2ms', url: 'min=300&max=2000' },
  { input: 'endpoint:/a/{id}', url: 'endpoint=%2Fa%2F%7Bid%7D' },
  { input: '  http://shop ', url: 'text=http%3A%2F%2Fshop' },
])('"$input" becomes $url, and its chip says the same again', ({ input, url }) => {
  const state = addToken(NONE, input) as TracesState; // Each of these is a filter.
  expect(writeTracesState(state).toString()).toBe(url);
  const [chip] = chipsOf(state);
  expect(addToken(NONE, chip?.input ?? '')).toEqual(state);
  expect(chip?.without).toEqual(NONE);
});

test.each(['duration:fast', 'duration:2s..1s', 'status:99', 'service:'])(
  '"%s" is refused with what to write instead',
  (input) => {
    expect(addToken(NONE, input)).toEqual(expect.stringContaining(input.split(':')[0] ?? ''));
  },
);

test('a bare duration means at least', () => {
  expect(parseDurationRange('10ms')).toEqual({ minDurationUs: 10_000, maxDurationUs: undefined });
});
