import { expect, test } from 'vitest';
import { createPace, PERIOD_MS } from './pace.ts';

test.each([
  { name: 'a full share never rests', share: 1, said: [], looked: 1 },
  {
    name: 'a part is looked at at the beginning of each period',
    share: 0.4,
    said: ['rest', 'look'],
    looked: 0.4,
  },
])('$name', ({ share, said, looked }) => {
  const heard: string[] = [];
  const pace = createPace({
    shedder: { share, next: () => share },
    cpu: (atMs) => ({ agent: 0, idle: 0, atMs }),
    lost: () => 0,
    look: () => heard.push('look'),
    rest: () => heard.push('rest'),
  });
  const periods = 4;
  for (let nowMs = 0; nowMs <= periods * PERIOD_MS; nowMs += 5) pace.tick(nowMs);
  expect(heard).toEqual(new Array<string[]>(periods).fill(said).flat());
  expect(pace.counters()).toEqual({
    looked_ms: looked * periods * PERIOD_MS,
    rested_ms: (1 - looked) * periods * PERIOD_MS,
  });
});
