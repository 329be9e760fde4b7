import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFlowKey } from '../network/flow-key.ts';
import type { Turn } from '../network/turn.ts';
import { heldBy } from './capture-testing.ts';
import { PACKET_EGRESS, PACKET_INGRESS } from './events.gen.ts';
import { openPackets, type Packets } from './packets.ts';

// Two network namespaces joined by a veth; the server's end is looked at.

const NAMES = { client: `nspans-c-${process.pid}`, server: `nspans-s-${process.pid}` };
const SERVER_PATH = `/run/netns/${NAMES.server}`;
const RING_BYTES = 1 << 16;

function ip(...words: readonly string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });
}

beforeAll(() => {
  for (const name of Object.values(NAMES)) ip('netns', 'add', name);
  const peer = ['peer', 'name', 'eth0', 'netns', NAMES.server];
  ip('-n', NAMES.client, 'link', 'add', 'eth0', 'type', 'veth', ...peer);
  Object.values(NAMES).forEach((name, at) => {
    ip('-n', name, 'address', 'add', `10.78.0.${at + 1}/24`, 'dev', 'eth0');
    ip('-n', name, '-6', 'address', 'add', `fd78::${at + 1}/64`, 'dev', 'eth0', 'nodad');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
  });
});

afterAll(() => {
  for (const name of Object.values(NAMES)) ip('netns', 'del', name);
});

/** Asks and answers, `rounds` times, over one connection in the two namespaces. */
async function talk(address: string, rounds: number): Promise<void> {
  const family = address.includes(':') ? 'AF_INET6' : 'AF_INET';
  const server = `
import socket, sys
listener = socket.create_server((${JSON.stringify(address)}, 0), family=socket.${family})
print(listener.getsockname()[1], flush=True)
peer, _ = listener.accept()
while True:
    asked = peer.recv(65536)
    if not asked: break
    peer.sendall(b'y' * 100000 if asked[:1] == b'L' else b'answer')
peer.close()`;
  const answering = spawn('ip', ['netns', 'exec', NAMES.server, 'python3', '-c', server], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(answering, 'exit');
  const lines = createInterface({ input: answering.stdout })[Symbol.asyncIterator]();
  const port = (await lines.next()).value;
  const client = `
import socket
s = socket.create_connection((${JSON.stringify(address)}, ${port}))
for round in range(${rounds}):
    s.sendall(b'question')
    assert s.recv(65536) == b'answer'
s.sendall(b'Long')
got = 0
while got < 100000: got += len(s.recv(65536))
s.close()`;
  execFileSync('ip', ['netns', 'exec', NAMES.client, 'python3', '-c', client], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await ended;
}

function open(): Packets {
  const packets = openPackets({ ringBytes: RING_BYTES, flowsMax: 1_024 });
  const found = packets.interfaces(SERVER_PATH).find(({ name }) => name === 'eth0');
  packets.attach(SERVER_PATH, found?.index ?? 0);
  return packets;
}

function turnsOf(packets: Packets): (Turn & { readonly nearIp: string; readonly farIp: string })[] {
  const turns: (Turn & { readonly nearIp: string; readonly farIp: string })[] = [];
  packets.drain((turn, bytes, at) => turns.push({ ...turn, ...readFlowKey(bytes, at) }));
  return turns;
}

test.each([
  { name: 'IPv4', address: '10.78.0.2', far: '10.78.0.1' },
  { name: 'IPv6', address: 'fd78::2', far: 'fd78::1' },
])('each turn of a conversation over $name is told once', async ({ address, far }) => {
  const packets = open();
  try {
    await talk(address, 3);
    const turns = turnsOf(packets);
    const said = turns.map(({ direction, bytes }) => ({ direction, bytes }));
    const round = [
      { direction: PACKET_INGRESS, bytes: 8 },
      { direction: PACKET_EGRESS, bytes: 6 },
    ];
    expect(said).toEqual([
      ...round,
      ...round,
      ...round,
      { direction: PACKET_INGRESS, bytes: 4 },
      { direction: PACKET_EGRESS, bytes: 100_000 },
    ]);
    const [first] = turns;
    expect(first).toMatchObject({
      clientDirection: PACKET_INGRESS,
      nearIp: address,
      farIp: far,
      vlan: 0,
    });
    expect(new Set(turns.map(({ flowId }) => flowId)).size).toBe(1);
    // The bytes of each side follow one another.
    const asked = turns.filter(({ direction }) => direction === PACKET_INGRESS);
    expect(asked.map(({ sequence }) => (sequence - (first?.sequence ?? 0)) >>> 0)).toEqual([
      0, 8, 16, 24,
    ]);
    for (const { firstNs, lastNs } of turns) expect(lastNs).toBeGreaterThanOrEqual(firstNs);
    expect(turns.at(-1)?.retransmissions).toEqual({ ingress: 0, egress: 0 });
    expect(packets.counters()).toMatchObject({
      turns: 8,
      turns_lost: 0,
      flows: 1,
      packets_missed: 0,
    });
  } finally {
    packets.close();
  }
});

/** Sends frames as they are from the client's end; `frame(tags, payload, flags, sequence)` makes one. */
function sendFrames(script: string): void {
  const program = `
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0))
def frame(tags, payload=b'', flags=16, sequence=1000, ip_size=None, window=100):
    tcp = struct.pack('!HHIIBBHHH', 4000, 80, sequence, 0, 5 << 4, flags, window, 0, 0)
    size = 20 + 20 + len(payload) if ip_size is None else ip_size
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, size, 0, 0, 64, 6, 0, bytes([10, 78, 0, 1]), bytes([10, 78, 0, 2]))
    head = b'\\xff' * 6 + b'\\x02' + b'\\x00' * 5
    for tag in tags: head += struct.pack('!HH', 0x8100, tag)
    return head + b'\\x08\\x00' + ip + tcp + payload
FIN, SYN, RST, ACK = 1, 2, 4, 16
${script}`;
  execFileSync('ip', ['netns', 'exec', NAMES.client, 'python3', '-c', program], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

test.each([
  { name: 'one tag', tags: '[7]', vlan: 7 },
  { name: 'a tag in a tag: the inner one', tags: '[9, 7]', vlan: 7 },
])('frames of a VLAN are understood: $name', ({ tags, vlan }) => {
  const packets = open();
  try {
    sendFrames(`s.send(frame(${tags}, b'hello')); s.send(frame(${tags}, b'', RST, 1005))`);
    expect(turnsOf(packets)).toMatchObject([{ bytes: 5, sequence: 1_000, vlan, nearPort: 80 }]);
  } finally {
    packets.close();
  }
});

test.each([
  {
    name: 'repeated bytes count as retransmitted, not as bytes',
    script: `s.send(frame([], b'hello')); s.send(frame([], b'hello')); s.send(frame([], b'lo you', ACK, 1003))`,
    want: { bytes: 9, retransmissions: { ingress: 2, egress: 0 } },
  },
  {
    name: 'a probe of an idle connection is nothing',
    script: `s.send(frame([], b'hello')); s.send(frame([], b'o', ACK, 1004))`,
    want: { bytes: 5, retransmissions: { ingress: 0, egress: 0 } },
  },
  {
    name: 'a closed window counts',
    script: `s.send(frame([], b'hello')); s.send(frame([], b'', ACK, 1005, None, 0))`,
    want: { bytes: 5, zeroWindows: { ingress: 1, egress: 0 } },
  },
  {
    name: 'a repeated SYN counts, and sequence numbers may wrap',
    script: `s.send(frame([], b'', SYN, 0xfffffffd)); s.send(frame([], b'', SYN, 0xfffffffd))
s.send(frame([], b'hello', ACK, 0xfffffffe))`,
    want: {
      bytes: 5,
      sequence: 0xfffffffe,
      clientDirection: PACKET_INGRESS,
      retransmissions: { ingress: 1, egress: 0 },
    },
  },
])('$name', ({ script, want }) => {
  const packets = open();
  try {
    sendFrames(`${script}; s.send(frame([], b'', RST, 1005))`);
    expect(turnsOf(packets)).toMatchObject([want]);
  } finally {
    packets.close();
  }
});

test('frames that lie about their size do no harm', () => {
  const packets = open();
  try {
    sendFrames(`
for size in (0, 1, 19, 20, 39, 40, 65535): s.send(frame([], b'hello', ACK, 1000 * size, size))
for cut in range(14, 54): s.send(frame([], b'')[:cut])
s.send(frame([1, 2, 3, 4], b'hello'))`);
    expect(packets.counters()).toMatchObject({ turns_lost: 0, flows_refused: 0 });
  } finally {
    packets.close();
  }
});

test('a paused capture tells nothing, and what it tells afterwards begins anew', async () => {
  const packets = open();
  try {
    packets.setPaused(true);
    await talk('10.78.0.2', 1);
    expect(packets.counters()).toMatchObject({ packets: 0, turns: 0 });
    packets.setPaused(false);
    await talk('10.78.0.2', 1);
    expect(turnsOf(packets)).toHaveLength(4);
  } finally {
    packets.close();
  }
});

test('after close the interface has no program, and what was counted is kept', async () => {
  const packets = open();
  expect(heldBy(process.pid, 'link')).toHaveLength(2);
  await talk('10.78.0.2', 1);
  packets.close();
  packets.close();
  expect(heldBy(process.pid, 'link')).toEqual([]);
  expect(packets.counters()).toMatchObject({ turns: 4 });
  expect(packets.drain(() => expect.unreachable())).toBe(0);
});

test('an interface that is not there is an error, not a crash', () => {
  const packets = openPackets({ ringBytes: RING_BYTES, flowsMax: 1_024 });
  try {
    expect(() => packets.attach(SERVER_PATH, 999_999)).toThrow(/attach/);
    expect(() => packets.interfaces('/run/netns/none')).toThrow(/No such file/);
  } finally {
    packets.close();
  }
});
