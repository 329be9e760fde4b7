import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  isFolded,
  readTraceState,
  type TraceState,
  toggleFold,
  VIEWS,
  writeTraceState,
} from './state.ts';

const SEED = { seed: 20_261_124 };
const states: fc.Arbitrary<TraceState> = fc.record({
  span: fc.string(),
  isDrawerOpen: fc.boolean(),
  window: fc.option(
    fc.nat(1e6).map((fromUs) => ({ fromUs, toUs: fromUs + 10 })),
    { nil: undefined },
  ),
  find: fc.string(),
  isOnlyMatches: fc.boolean(),
  view: fc.constantFrom(...VIEWS),
  threshold: fc.integer({ min: 50, max: 100 }).map((percent) => percent / 100),
  isCritical: fc.boolean(),
  lit: fc.string(),
  foldDepth: fc.option(fc.nat(50), { nil: undefined }),
  folded: fc.array(fc.nat().map(String), { maxLength: 20 }),
});

test('a link reproduces the view', () => {
  fc.assert(
    fc.property(states, (state) => {
      const link = writeTraceState(state).toString();
      expect(readTraceState(new URLSearchParams(link))).toEqual(state);
    }),
    SEED,
  );
});

test('a fold turns one span over, whatever the depth says, and back', () => {
  const none = readTraceState(new URLSearchParams());
  const deep = { ...none, foldDepth: 1 };
  expect([isFolded(none, '7', 3), isFolded(deep, '7', 3), isFolded(deep, '7', 0)]).toEqual([
    false,
    true,
    false,
  ]);
  expect(isFolded(toggleFold(deep, '7'), '7', 3)).toBe(false);
  expect(toggleFold(toggleFold(deep, '7'), '7')).toEqual(deep);
});

test('the URL stays short: past 64 folds the oldest is forgotten', () => {
  let state = readTraceState(new URLSearchParams());
  for (let i = 0; i < 100; i++) state = toggleFold(state, String(i));
  expect([state.folded.length, state.folded[0]]).toEqual([64, '36']);
});
