import { afterEach, describe, expect, test } from 'vitest';
import type { CaptureFilter } from '../capture-messages.ts';
import type { Capture } from './capture.ts';
import {
  type Caller,
  collect,
  NO_FILTER,
  openTestCapture,
  startCaller,
} from './capture-testing.ts';
import { RUNGS } from './ladder.ts';

let opened: Capture | undefined;
let caller: Caller | undefined;

afterEach(() => {
  opened?.close();
  caller?.process.kill();
});

/** Speaks over one connection each time that it is told to. */
const TALK = `
print(os.stat('/proc/self/ns/net').st_ino)
ask(port)
while True:
    a.send(b'hello'); b.recv(10)
    ask('said')
`;

describe.each(RUNGS)('rung %s', (rung) => {
  test.each([
    { name: 'an excluded port', filter: (port: number) => ({ portsExcluded: [port] }), is: false },
    { name: 'another excluded port', filter: () => ({ portsExcluded: [1] }), is: true },
    { name: 'a wanted port', filter: (port: number) => ({ ports: [port] }), is: true },
    { name: 'another wanted port', filter: () => ({ ports: [1] }), is: false },
    {
      name: 'a port that is wanted and excluded',
      filter: (port: number) => ({ ports: [port], portsExcluded: [port] }),
      is: false,
    },
    {
      name: 'an excluded process',
      filter: (_port: number, pid: number) => ({ pidsExcluded: [pid] }),
      is: false,
    },
    { name: 'another excluded process', filter: () => ({ pidsExcluded: [process.pid] }), is: true },
    {
      name: 'a wanted namespace',
      filter: (_port: number, _pid: number, netns: number) => ({ namespaces: [netns] }),
      is: true,
    },
    { name: 'another wanted namespace', filter: () => ({ namespaces: [1] }), is: false },
  ] satisfies {
    name: string;
    filter: (port: number, pid: number, netns: number) => Partial<CaptureFilter>;
    is: boolean;
  }[])('$name, set while a connection is open: seen $is, and again without it', async (one) => {
    const talking = startCaller(TALK);
    caller = talking;
    const netns = Number(await talking.line());
    const port = Number(await talking.line());
    const capture = openTestCapture({ rung });
    opened = capture;
    const isSeen = async (change: Partial<CaptureFilter>): Promise<boolean> => {
      capture.setFilter({ ...NO_FILTER, ...change });
      talking.go();
      await talking.line();
      return collect(capture, port).length === 2;
    };
    expect(await isSeen({})).toBe(true);
    expect(await isSeen(one.filter(port, talking.process.pid ?? 0, netns))).toBe(one.is);
    expect(await isSeen({})).toBe(true);
  });

  test('a filter for a namespace sees into it, and nothing of the host', async () => {
    const talking = startCaller(TALK, [
      ...['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'],
    ]);
    caller = talking;
    const netns = Number(await talking.line());
    const port = Number(await talking.line());
    opened = openTestCapture({ rung, filter: { ...NO_FILTER, namespaces: [netns] } });
    talking.go();
    await talking.line();
    const host = startCaller("a.send(b'hello'); b.recv(10); ask(port)");
    const hostPort = Number(await host.line());
    const seen = collect(opened);
    host.go();
    await host.ended();
    expect(seen.map(({ text }) => text)).toEqual(['hello', 'hello']);
    expect(new Set(seen.map((transfer) => transfer.netns))).toEqual(new Set([netns]));
    expect(seen.filter(({ localPort }) => localPort === port)).toHaveLength(1);
    expect(hostPort).toBeGreaterThan(0);
  });
});
