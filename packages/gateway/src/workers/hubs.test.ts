import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { FIXED_WINDOW } from '../plugins/fixed-window.ts';
import { PLACES } from '../plugins/traffic/places.ts';
import { createFirstHub } from './first-hub.ts';
import type { ToFirst, ToWorker } from './messages.ts';
import { createWorkerHub } from './worker-hub.ts';

/** A first process and others that serve, joined as JSON in the order of sending. */
function gateway(count: number) {
  const first = createFirstHub();
  const over = new Set<number>();
  const carried = <Message>(message: Message): Message => JSON.parse(JSON.stringify(message));
  const workers = Array.from({ length: count }, (_, at) => {
    const number = at + 1;
    const hub = createWorkerHub(number, (message: ToFirst) =>
      queueMicrotask(() => over.has(number) || first.take(number, carried(message))),
    );
    first.join(number, (message: ToWorker) =>
      queueMicrotask(() => void (over.has(number) || hub.take(carried(message)))),
    );
    return hub;
  });
  const end = (number: number): void => {
    over.add(number);
    first.leave(number);
  };
  return { first, workers, end };
}

test('a window counts the requests of all processes', async () => {
  const { workers } = gateway(3);
  const ask = { limit: 4, windowMs: 1_000, nowMs: 0 };
  const answers = await Promise.all(
    [...workers, ...workers].map(async (hub) =>
      hub.common(FIXED_WINDOW, 'w', undefined).take('k', ask),
    ),
  );
  // Each process sends its calls of one turn together.
  expect(answers.map(({ remaining }) => remaining).sort()).toEqual([0, 0, 0, 1, 2, 3]);
  expect(answers.filter(({ isAllowed }) => isAllowed)).toHaveLength(4);
});

test('the places of a process that has ended are free again', async () => {
  const { workers, end } = gateway(2);
  const [one, two] = workers.map((hub) => hub.common(PLACES, 'p', undefined));
  expect(await one?.enter('k', 1, 1)).toBe(1);
  expect(await two?.enter('k', 1, 2)).toBeUndefined();
  end(1);
  expect(await two?.enter('k', 1, 2)).toBe(1);
});

test('the first process keeps no handle that nobody refers to', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // What the flag has made.
  const first = createFirstHub();
  const open = new Set<number>();
  const hub = createWorkerHub(1, (message) => {
    if (message.kind === 'state') open.add(message.state);
    if (message.kind === 'forget') open.delete(message.state);
    first.take(1, message);
  });
  first.join(1, (message) => hub.take(message));
  const kept = hub.common(FIXED_WINDOW, 'kept', undefined).take;
  const ask = { limit: 2, windowMs: 1_000, nowMs: 0 };
  await kept('k', ask);
  for (let i = 0; i < 30_000; i++) hub.common(FIXED_WINDOW, `w${i}`, undefined);
  await expect
    .poll(() => {
      collect();
      return open.size;
    })
    .toBeLessThan(10_002);
  expect(await kept('k', ask)).toMatchObject({ remaining: 0 });
});

test('every process is asked, and what one that has ended has counted stays', async () => {
  const { first, workers, end } = gateway(2);
  for (const [at, hub] of [first, ...workers].entries()) {
    hub.topic('count', {
      answer: () => 10 ** at,
      fold: (before, last) => Number(before ?? 0) + Number(last),
    });
  }
  expect(await workers[0]?.ask('count')).toEqual([1, 10, 100]);
  end(2);
  expect(await first.ask('count')).toEqual([1, 10, 100]);
  end(1);
  expect(await first.ask('count')).toEqual([1, 110]);
});

test('what one process tells reaches all others, and not itself', async () => {
  const { first, workers } = gateway(2);
  const heard: string[] = [];
  for (const [at, hub] of [first, ...workers].entries()) {
    hub.topic('news', { answer: (news) => heard.push(`${at} ${news}`) });
  }
  workers[1]?.tell('news', 'a');
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(heard.sort()).toEqual(['0 a', '1 a']);
});
