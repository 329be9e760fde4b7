import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openJournal } from './journal.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'journal-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

const open = (at: string) => openJournal(at, { now: Date.now });

test('what was acknowledged is there after a start, indexes too', async () => {
  const at = folder();
  const store = await open(at);
  await store.put('/routes/1', { uri: '/a' });
  await store.put('/routes/1', { uri: '/b' });
  await store.put('/routes/2', { uri: '/c' });
  await store.delete('/routes/2');
  await store.close();
  const again = await open(at);
  expect(again.list('/routes/')).toEqual([
    { key: '/routes/1', value: { uri: '/b' }, createdIndex: 1, modifiedIndex: 2 },
  ]);
  expect(again.revision()).toBe(4);
  await again.close();
});

test('a crash at any octet of the last write leaves everything before it', async () => {
  const at = folder();
  const store = await open(at);
  await store.put('/routes/1', { uri: '/a' });
  const before = readFileSync(join(at, 'journal')).length;
  await store.put('/routes/2', { uri: '/b' });
  await store.close();
  const whole = readFileSync(join(at, 'journal'));
  for (let size = before; size < whole.length; size++) {
    writeFileSync(join(at, 'journal'), whole.subarray(0, size));
    const again = await open(at);
    // The line feed is the last octet: without it the entry is whole, and may stay.
    expect(again.list('/routes/').length).toBe(size === whole.length - 1 ? 2 : 1);
    await again.put('/routes/3', { uri: '/c' });
    await again.close();
    const third = await open(at);
    expect(third.get('/routes/3')?.value).toEqual({ uri: '/c' });
    await third.close();
  }
});

test('damage before the end is an error, not a loss', async () => {
  const at = folder();
  const store = await open(at);
  await store.put('/routes/1', { uri: '/a' });
  await store.put('/routes/2', { uri: '/b' });
  await store.close();
  const text = readFileSync(join(at, 'journal'), 'utf8');
  writeFileSync(join(at, 'journal'), text.replace('/a', '/x'));
  await expect(open(at)).rejects.toMatchObject({ code: 'bad_input' });
});

test('old versions are dropped at a start, and the revision stays', async () => {
  const at = folder();
  const store = await open(at);
  for (let i = 0; i < 300; i++) await store.put('/routes/1', { uri: `/${i}` });
  await store.put('/routes/2', { uri: '/x' });
  await store.delete('/routes/2');
  await store.close();
  const again = await open(at);
  expect(readFileSync(join(at, 'journal'), 'utf8').split('\n').length).toBeLessThan(5);
  expect(again.revision()).toBe(302);
  await again.close();
  const third = await open(at);
  expect(third.revision()).toBe(302);
  expect(third.get('/routes/1')?.createdIndex).toBe(1);
  await third.close();
});

test('an object with a time to live is gone after it, also across a start', async () => {
  const at = folder();
  let nowMs = 1_000;
  const clock = { now: () => nowMs };
  const store = await openJournal(at, clock);
  await store.put('/routes/1', { uri: '/a' }, { ttlS: 60 });
  await store.close();
  nowMs += 61_000;
  const again = await openJournal(at, clock);
  await expect.poll(() => again.get('/routes/1')).toBeUndefined();
  await again.close();
});

test('garbage at the end is dropped', async () => {
  const at = folder();
  const store = await open(at);
  await store.put('/routes/1', { uri: '/a' });
  await store.close();
  appendFileSync(join(at, 'journal'), '\0\0\0garbage');
  const again = await open(at);
  expect(again.list('/').length).toBe(1);
  await again.close();
});
