import { expect, test } from 'vitest';
import { createThreadOrders } from './thread-order.ts';

/** One thread. `a` reads a request, `>x` sends call x, `>*` unseen ones, `-a` ends request a, `!` a request without an answer. Answers pairs `call:request`, with a `?` across rounds. */
function pairs(steps: string): string {
  const ended = new Set<string>();
  const told: string[] = [];
  const orders = createThreadOrders<string, string>({
    onCall: (call, request, { isWhole }) => told.push(`${call}:${request}${isWhole ? '' : '?'}`),
    onAnswer: () => undefined,
    onNext: () => undefined,
    isRequestOpen: (one) => !ended.has(one),
    isCallOpen: () => true,
  });
  for (const step of `${steps} end`.split(' ')) {
    if (step === '>*') orders.hideCalls(1);
    else if (step === '!') orders.abandonRequest(1);
    else if (step.startsWith('>')) orders.sendCall(1, step.slice(1));
    else if (step.startsWith('-')) ended.add(step.slice(1));
    else orders.readRequest(1, step);
  }
  return told.join(' ');
}

test.each([
  { name: 'one after the other', steps: 'a >x b >y', told: 'x:a y:b' },
  { name: 'read in a row, sent in that order', steps: 'a b c >x >y >z', told: 'x:a y:b z:c' },
  { name: 'one that was answered at once has no turn', steps: 'a b -a >x', told: 'x:b' },
  { name: 'more was sent than read: the round tells nothing', steps: 'a >x >y', told: '' },
  { name: 'less was sent than read: the round is not whole', steps: 'a b >x', told: 'x:a?' },
  { name: 'what is left over goes first', steps: 'a b >x c >y', told: 'x:a? y:b?' },
  {
    name: 'until as many were sent as waited',
    steps: 'a b >x c >y >z d >w',
    told: 'x:a? y:b? z:c? w:d',
  },
  { name: 'or until it has ended', steps: 'a b >x c -b >y', told: 'x:a? y:c' },
  { name: 'nothing was read', steps: '>x', told: '' },
  {
    name: 'places are lost with a message while something waits',
    steps: 'a b c ! >x d >y',
    told: '',
  },
  { name: 'until nothing waits', steps: 'a b ! >x c >y >z d >w', told: 'w:d' },
  { name: 'unseen calls may be of all that waited', steps: 'a b c >x >* d >y', told: 'x:a? y:d' },
  { name: 'what leaves after unseen ones has no place', steps: 'a b >* >x c >y', told: 'y:c' },
])('$name: $steps', ({ steps, told }) => {
  expect(pairs(steps)).toBe(told);
});

test('threads have orders of their own, and answers beside calls', () => {
  const told: string[] = [];
  const orders = createThreadOrders<string, string>({
    onCall: (call, request) => told.push(`${request} made ${call}`),
    onAnswer: (call, request) => told.push(`${call} answers ${request}`),
    onNext: () => undefined,
    isRequestOpen: () => true,
    isCallOpen: () => true,
  });
  orders.readRequest(1, 'a');
  orders.readRequest(2, 'b');
  orders.readAnswer(1, 'x');
  orders.sendCall(2, 'y');
  orders.sendAnswer(1, 'c');
  orders.sendCall(1, 'z');
  orders.readRequest(1, 'd');
  expect(told).toEqual(['a made z', 'x answers c']);
});

test('what was not seen had a place in the order: what comes before it tells as if across rounds', () => {
  const told: string[] = [];
  const orders = createThreadOrders<string, string>({
    onCall: () => undefined,
    onAnswer: (call, request, { isWhole }) =>
      told.push(`${call} answers ${request}${isWhole ? '' : '?'}`),
    onNext: () => undefined,
    isRequestOpen: () => true,
    isCallOpen: () => true,
  });
  const round = (call: string | undefined, request: string | undefined): void => {
    orders.readAnswer(1, 'first');
    orders.readAnswer(1, call);
    orders.sendAnswer(1, 'one');
    orders.sendAnswer(1, request);
  };
  round('second', undefined);
  round(undefined, 'two');
  round('second', 'two');
  orders.readRequest(1, 'end');
  expect(told).toEqual(['first answers one?', 'first answers one', 'second answers two']);
});

test('thousands of messages read in a row are not remembered', () => {
  let told = 0;
  const orders = createThreadOrders<number, number>({
    onCall: () => {
      told += 1;
    },
    onAnswer: () => undefined,
    onNext: () => undefined,
    isRequestOpen: () => true,
    isCallOpen: () => true,
  });
  for (let at = 0; at < 5_000; at += 1) orders.readRequest(1, at);
  for (let at = 0; at < 5_000; at += 1) orders.sendCall(1, at);
  orders.readRequest(1, 5_000);
  expect(told).toBe(0);
});

/** One thread. `x` reads the answer of call x, `>a` answers request a, `+x` sends call x, `~a` answers request a in a later turn of its loop, `.` rests. Answers `call:request` that was answered next. */
function answeredNext(steps: string): string {
  const told: string[] = [];
  const orders = createThreadOrders<string, string>({
    onCall: () => undefined,
    onAnswer: () => undefined,
    onNext: (call, request) => told.push(`${call}:${request}`),
    isRequestOpen: () => true,
    isCallOpen: () => true,
  });
  let last: string | undefined;
  for (const step of steps.split(' ')) {
    if (step === '.') orders.rest(1);
    else if (step.startsWith('>')) orders.sendAnswer(1, step.slice(1), last);
    else if (step.startsWith('~')) orders.sendAnswer(1, step.slice(1));
    else if (step.startsWith('+')) orders.sendCall(1, step.slice(1));
    else {
      orders.readAnswer(1, step);
      last = step;
    }
  }
  return told.join(' ');
}

test.each([
  { name: 'it is known once the thread reads again', steps: 'x >a y', told: 'x:a' },
  { name: 'or rests', steps: 'x >a .', told: 'x:a' },
  { name: 'not before', steps: 'x >a', told: '' },
  { name: 'of several answers read the last one counts', steps: 'w x >a y', told: 'x:a' },
  { name: 'a call in between takes no place', steps: 'x +z >a y', told: 'x:a' },
  { name: 'two requests answered: neither', steps: 'x >a >b y', told: '' },
  { name: 'three: none', steps: 'w x >a >b >c y', told: '' },
  { name: 'what a timer answers took no place', steps: 'x >a ~b y', told: 'x:a' },
  { name: 'each round for itself', steps: 'x >a >b y >c .', told: 'y:c' },
])('answered next: $name: $steps', ({ steps, told }) => {
  expect(answeredNext(steps)).toBe(told);
});
