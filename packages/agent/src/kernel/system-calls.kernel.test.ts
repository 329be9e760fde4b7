import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import {
  DIRECTION_OUT,
  ROLE_CLIENT,
  ROLE_SERVER,
  TRANSFER_CLOSE,
  TRANSFER_DATA,
  TRANSFER_END,
} from '../flow/transfer.ts';
import type { Capture } from './capture.ts';
import { collect, openTestCapture, type Seen, startCaller } from './capture-testing.ts';
import { RUNGS } from './ladder.ts';

let opened: Capture | undefined;

afterEach(() => opened?.close());

/** One transfer as a line: who, which way, bytes, and what of them was copied. */
function line(port: number, { kind, localPort, direction, length, text }: Seen): string {
  const who = localPort === port ? 'b' : 'a';
  if (kind === TRANSFER_END) return `${who} end`;
  return `${who} ${direction === DIRECTION_OUT ? 'out' : 'in'} ${length} ${text}`.trim();
}

const TEMPORARY = `
file = tempfile.TemporaryFile()
file.write(b'hello world')
file.flush()
`;
const MMSG = `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
class Iovec(ctypes.Structure): _fields_ = [('base', ctypes.c_char_p), ('length', ctypes.c_size_t)]
class Msghdr(ctypes.Structure): _fields_ = [('name', ctypes.c_void_p), ('name_length', ctypes.c_int),
  ('iov', ctypes.POINTER(Iovec)), ('iov_count', ctypes.c_size_t), ('control', ctypes.c_void_p),
  ('control_length', ctypes.c_size_t), ('flags', ctypes.c_int)]
class Mmsghdr(ctypes.Structure): _fields_ = [('header', Msghdr), ('length', ctypes.c_uint)]
vector = Iovec(b'hello', 5)
messages = (Mmsghdr * 1)(Mmsghdr(Msghdr(None, 0, ctypes.pointer(vector), 1, None, 0, 0), 0))
`;
/** write() by the gate of 32-bit processes: "int 0x80", with code and bytes below 4 GiB. */
const WRITE_32 = `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
MAP_32BIT, ANONYMOUS_PRIVATE = 0x40, 0x22
page = libc.mmap(None, ctypes.c_size_t(4096), 7, ANONYMOUS_PRIVATE | MAP_32BIT, -1, ctypes.c_long(0))
code = b'\\x53\\x89\\xfb\\x89\\xf1\\xb8\\x04\\x00\\x00\\x00\\xcd\\x80\\x5b\\xc3'
ctypes.memmove(page, code, len(code))
ctypes.memmove(page + 2048, b'hello', 5)
write = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_uint, ctypes.c_uint)(page)
assert write(a.fileno(), page + 2048, 5) == 5
`;
/** Kernels of confidential guests, and such as are told to, end a process that uses that gate. */
const has32Bit =
  spawnSync('python3', ['-c', `import socket\na, b = socket.socketpair()\n${WRITE_32}`]).status ===
  0;
const RECEIVED = 'b in 5 hello';
const SENT = 'a out 5 hello';

/** `want` is what both rungs see; `wantB` where rung B sees less. */
interface Case {
  readonly name: string;
  readonly script: string;
  readonly want: readonly string[];
  readonly wantB?: readonly string[];
  readonly needs32Bit?: boolean;
}
const CASES: readonly Case[] = [
  {
    name: 'send and recv',
    script: "a.send(b'hello'); b.recv(10)",
    want: [SENT, RECEIVED],
  },
  {
    name: 'write and read',
    script: "os.write(a.fileno(), b'hello'); os.read(b.fileno(), 10)",
    want: [SENT, RECEIVED],
  },
  {
    name: 'writev and readv, in segments that are put together',
    script: `os.writev(a.fileno(), [b'he', b'', b'llo'])
os.readv(b.fileno(), [bytearray(1), bytearray(9)])`,
    want: [SENT, RECEIVED],
  },
  {
    name: 'sendmsg and recvmsg',
    script: "a.sendmsg([b'hel', b'lo']); b.recvmsg(10)",
    want: [SENT, RECEIVED],
  },
  {
    name: 'later segments behind a long first one are counted, not copied',
    script: "a.sendmsg([b'x' * 80, b'rest']); b.recv(100)",
    want: [`a out 84 ${'x'.repeat(80)}`, `b in 84 ${'x'.repeat(80)}rest`],
  },
  {
    name: 'sendfile, whose bytes are counted, not copied',
    script: `${TEMPORARY}os.sendfile(a.fileno(), file.fileno(), 0, 5); b.recv(10)`,
    want: ['a out 5', RECEIVED],
  },
  {
    name: 'sendmmsg, on rung A and without its bytes only',
    script: `${MMSG}assert libc.sendmmsg(a.fileno(), messages, 1, 0) == 1
b.recv(10)`,
    want: ['a out 5', RECEIVED],
    wantB: [RECEIVED],
  },
  {
    name: 'recvmmsg, on rung A and without its bytes only',
    script: `${MMSG}a.send(b'hello')
assert libc.recvmmsg(b.fileno(), messages, 1, 0, None) == 1`,
    want: [SENT, 'b in 5'],
    wantB: [SENT],
  },
  {
    name: 'splice, on rung A and without its bytes only',
    script: `import ctypes
reader, writer = os.pipe(); os.write(writer, b'hello')
assert ctypes.CDLL(None).splice(reader, None, a.fileno(), None, 5, 0) == 5
b.recv(10)`,
    want: ['a out 5', RECEIVED],
    wantB: [RECEIVED],
  },
  {
    name: 'system calls of 32-bit processes, on rung A and without their bytes only',
    script: `${WRITE_32}b.recv(10)`,
    needs32Bit: true,
    want: ['a out 5', RECEIVED],
    wantB: [RECEIVED],
  },
  {
    name: 'a peek moves nothing',
    script: `a.send(b'hello'); b.recv(10, socket.MSG_PEEK); b.recvmsg(10, 0, socket.MSG_PEEK)
b.recv(10)`,
    want: [SENT, RECEIVED],
  },
  {
    name: 'a call that would block moves nothing',
    script: `b.setblocking(False)
try: b.recv(10)
except BlockingIOError: a.send(b'hello')
import select
select.select([b], [], []); b.recv(10)`,
    want: [SENT, RECEIVED],
  },
  {
    name: 'a read of no bytes is not the end, a FIN is',
    script: `a.send(b'hello'); os.read(b.fileno(), 0); b.recv(10); os.read(b.fileno(), 0)
a.shutdown(socket.SHUT_WR); b.recv(10)`,
    want: [SENT, RECEIVED, 'b end'],
  },
  {
    name: "bytes of a file are nobody's transfer, whatever its descriptor",
    script: `${TEMPORARY}os.dup2(file.fileno(), 50); os.pwrite(50, b'hello', 0); os.read(50, 5)
a.send(b'hello'); b.recv(10)`,
    want: [SENT, RECEIVED],
  },
];

describe.each(RUNGS)('rung %s', (rung) => {
  test.for(CASES)('$name', async ({ script, want, wantB, needs32Bit }, { skip }) => {
    skip(needs32Bit === true && !has32Bit, 'this kernel ends processes that make 32-bit calls');
    opened = openTestCapture({ rung });
    const caller = startCaller(`${script}\nask(port)`);
    const port = Number(await caller.line());
    const seen = collect(opened, port);
    caller.go();
    await caller.ended();
    expect(seen.map((one) => line(port, one))).toEqual(rung === 'B' ? (wantB ?? want) : want);
  });

  test('a partial send has the length that the kernel took', async () => {
    opened = openTestCapture({ rung });
    const caller = startCaller(`a.setblocking(False)
taken = a.send(b'x' * (64 << 20))
assert taken < 64 << 20
print(port); ask(taken)`);
    const port = Number(await caller.line());
    const taken = Number(await caller.line());
    const seen = collect(opened, port);
    caller.go();
    await caller.ended();
    expect(seen.map(({ length, captured }) => ({ length, captured }))).toEqual([
      { length: taken, captured: 512 },
    ]);
  });

  test.each([
    { name: 'unix-domain stream', make: 'socket.socketpair()' },
    { name: 'unix-domain datagram', make: 'socket.socketpair(type=socket.SOCK_DGRAM)' },
    {
      name: 'UDP',
      make: `(lambda one, other: (other.bind(('127.0.0.1', 0)),
  one.connect(other.getsockname()), (one, other))[2])(
  socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM))`,
    },
  ])('$name sockets are neither captured nor counted', async ({ make }) => {
    const caller = startCaller(`c, d = ${make}
ask(os.getpid())
c.send(b'hello'); assert d.recv(10) == b'hello'
ask('done')`);
    const pid = Number(await caller.line());
    opened = openTestCapture({ rung });
    const filtered = opened.counters()['filtered'];
    caller.go();
    await caller.line();
    const seen = collect(opened).filter((one) => one.pid === pid);
    expect(opened.counters()['filtered']).toBe(filtered);
    caller.go();
    await caller.ended();
    expect(seen).toEqual([]);
  });

  test('sockets that are older than the agent have a name of their own, a role and an end', async () => {
    const caller = startCaller(`ask(port)
a.send(b'hello'); b.recv(10); b.send(b'hello'); a.recv(10)
a.close(); b.recv(10); b.close()
ask('done')`);
    const port = Number(await caller.line());
    opened = openTestCapture({ rung });
    caller.go();
    await caller.line();
    const all = collect(opened);
    const seen = all.filter(({ localPort, remotePort }) => [localPort, remotePort].includes(port));
    caller.go();
    await caller.ended();
    const ends = new Map(seen.map(({ connection, role }) => [connection, role]));
    const data = seen.filter(({ kind }) => kind === TRANSFER_DATA);
    expect(data.map((one) => line(port, one))).toEqual([
      SENT,
      RECEIVED,
      'b out 5 hello',
      'a in 5 hello',
    ]);
    expect(ends.size).toBe(2);
    expect([...ends.keys()].every((name) => name > 0 && name < 2 ** 33)).toBe(true);
    expect([...ends.values()]).toEqual([ROLE_CLIENT, ROLE_SERVER]);
    // By name: a socket that closes has given its port back.
    const closed = all.filter(
      ({ kind, connection }) => kind === TRANSFER_CLOSE && ends.has(connection),
    );
    expect(closed.map(({ connection }) => connection).sort()).toEqual([...ends.keys()].sort());
  });
});
