import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createOpenTurns } from './open-turns.ts';

const turnId = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))
  .map(([connection, turn]) => connection * 2 ** 20 + turn);
const steps = fc.array(fc.tuple(fc.constantFrom('add', 'remove'), turnId, fc.nat({ max: 9 })));

test('turns hold what a map would, where the first of a turn stays', () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const turns = createOpenTurns<{ id: number }>();
      const map = new Map<number, { id: number }>();
      // A request belongs to one turn.
      const requests = new Map<string, { id: number }>();
      for (const [step, turn, id] of taken) {
        const key = `${turn} ${id}`;
        const request = requests.get(key) ?? { id };
        requests.set(key, request);
        if (step === 'add') {
          turns.add(turn, request);
          if (!map.has(turn)) map.set(turn, request);
        } else {
          turns.remove(turn, request);
          if (map.get(turn) === request) map.delete(turn);
        }
        for (const one of taken) expect(turns.get(one[1])).toBe(map.get(one[1]));
      }
    }),
    { seed: 20_416 },
  );
});
