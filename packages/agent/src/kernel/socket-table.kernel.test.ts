import { expect, test } from 'vitest';
import { bpftool, collect, heldBy, openTestCapture, startCaller } from './capture-testing.ts';

const CONNECTIONS = 50;

/** The socket table of the capture that this process has open. */
function tableId(): string {
  const id = heldBy(process.pid, 'map').find((map) => {
    const shown = bpftool('map', 'show', 'id', String(map)) as { name: string }; // Its own shape.
    return shown.name === 'sockets';
  });
  if (id === undefined) throw new Error('this process has no map sockets');
  return String(id);
}

/** Names of the sockets that the table holds. */
function names(table: string): number[] {
  const entries = bpftool('map', 'dump', 'id', table) as {
    formatted: { value: { cookie: number } };
  }[]; // Its own shape.
  return entries.map(({ formatted }) => formatted.value.cookie);
}

test('on rung B the table holds a socket until it closes, and no longer', async () => {
  const capture = openTestCapture({ rung: 'B' });
  const caller = startCaller(`pairs = [pair() for _ in range(${CONNECTIONS})]
for c, d, _ in pairs: c.send(b'hello'); d.recv(10)
ask('open')
for c, d, _ in pairs: c.close(); d.recv(10); d.close()
ask('closed')`);
  try {
    const table = tableId();
    await caller.line();
    const pid = caller.process.pid;
    const seen = collect(capture).filter((transfer) => transfer.pid === pid);
    const spoken = new Set(seen.map(({ connection }) => connection));
    const held = (): number => names(table).filter((name) => spoken.has(name)).length;
    expect(spoken.size).toBe(2 * CONNECTIONS);
    expect(held()).toBe(2 * CONNECTIONS);
    caller.go();
    await caller.line();
    await expect.poll(held, { timeout: 10_000 }).toBe(0);
    expect(capture.counters()['no_storage']).toBe(0);
  } finally {
    caller.process.kill();
    capture.close();
  }
});
