import { expect, test } from 'vitest';
import { createRequestBody } from './request-body.ts';

function body() {
  const calls: string[] = [];
  const made = createRequestBody(
    { kind: 'chunked' },
    {
      pause: () => calls.push('pause'),
      resume: () => calls.push('resume'),
      want: () => calls.push('want'),
    },
  );
  return { made, calls };
}

function collect() {
  const got: string[] = [];
  const sink = {
    data: (bytes: Buffer) => void got.push(bytes.toString()),
    end: () => void got.push('end'),
  };
  return { got, sink };
}

test('what came before and after the sink reaches it once, in order', () => {
  const { made } = body();
  const { got, sink } = collect();
  made.data(Buffer.from('a'));
  made.attach(sink);
  made.data(Buffer.from('b'));
  made.end(undefined);
  expect(got).toEqual(['a', 'b', 'end']);
});

test('a second upstream gets the same body while it is small', () => {
  const { made } = body();
  made.attach(collect().sink);
  made.data(Buffer.from('ab'));
  made.end(undefined);
  made.detach();
  const { got, sink } = collect();
  expect(made.isReplayable()).toBe(true);
  made.attach(sink);
  expect(got).toEqual(['ab', 'end']);
});

test('a body that nobody takes stops the client at 64 KiB', () => {
  const { made, calls } = body();
  made.data(Buffer.alloc(65_536));
  expect(calls).toEqual([]);
  made.data(Buffer.alloc(1));
  expect(calls).toEqual(['pause']);
  made.attach(collect().sink);
  expect(calls).toEqual(['pause', 'want', 'resume']);
  expect(made.isReplayable()).toBe(false);
});

test('reading whole answers undefined past its bound', async () => {
  const small = body().made;
  const whole = small.read(4);
  small.data(Buffer.from('ab'));
  small.end(undefined);
  expect((await whole)?.toString()).toBe('ab');
  expect(small.whole()?.toString()).toBe('ab');

  const large = body().made;
  const tooMuch = large.read(4);
  large.data(Buffer.from('abcde'));
  expect(await tooMuch).toBeUndefined();
});

test('a replaced body is what is sent', () => {
  const { made } = body();
  made.data(Buffer.from('old'));
  made.end(undefined);
  made.replace(Buffer.from('new'));
  const { got, sink } = collect();
  made.attach(sink);
  expect(got).toEqual(['new', 'end']);
});
