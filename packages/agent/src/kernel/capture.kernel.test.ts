import { execFileSync } from 'node:child_process';
import { createServer, request } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as listenTo,
  type Server,
  type Socket,
} from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  CAUSE_CONNECT,
  DIRECTION_IN,
  DIRECTION_OUT,
  ROLE_CLIENT,
  ROLE_SERVER,
  TRANSFER_DATA,
} from '../flow/transfer.ts';
import type { Capture, CaptureOptions } from './capture.ts';
import { collect, openTestCapture, type Seen } from './capture-testing.ts';
import { RUNGS } from './ladder.ts';

let opened: Capture | undefined;

afterEach(() => opened?.close());

function open(options: Partial<CaptureOptions>): Capture {
  opened = openTestCapture(options);
  return opened;
}

/** A loopback server that answers with `answer`; asks it once for each of `paths`. */
async function exchange(paths: readonly string[], answer = 'hello'): Promise<number> {
  const server = createServer((_request, response) => response.end(answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // A TCP server's address is one.
  for (const path of paths) {
    await new Promise<void>((resolve, reject) => {
      const call = request({ port, path, host: '127.0.0.1', agent: false }, (response) => {
        response.resume();
        response.on('end', resolve);
      });
      call.on('error', reject);
      call.end();
    });
  }
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** Listens on a free port and hands the first bytes of each connection on. */
async function listen(onData: (text: string) => void): Promise<Server> {
  const server = listenTo((socket) => socket.on('data', (bytes) => onData(String(bytes))));
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port; // TCP's is one.

describe.each(RUNGS)('rung %s', (rung) => {
  test('a pause is counted, roles of connections that begin in it are known, causes are not kept', async () => {
    const capture = open({ rung });
    const received: Socket[] = [];
    const server = listenTo((socket) => received.push(socket.on('data', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = portOf(server);
    const { shed: before = 0 } = capture.counters();
    capture.setPaused(true);
    const client = connect(port, '127.0.0.1');
    client.write('unseen');
    await expect.poll(() => received[0]?.bytesRead).toBe(6);
    expect(collect(capture, port)).toEqual([]);
    expect((capture.counters()['shed'] ?? 0) - before).toBeGreaterThanOrEqual(2);
    capture.setPaused(false);
    client.write('seen');
    await expect.poll(() => received[0]?.bytesRead).toBe(10);
    const seen = collect(capture, port);
    expect(seen.map(({ role, text, causeId }) => [role, text, causeId])).toEqual([
      [ROLE_CLIENT, 'seen', 0],
      [ROLE_SERVER, 'seen', 0],
    ]);
    client.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  test('a nearly full ring pauses a bounded capture: what is left out is left out whole', async () => {
    const capture = open({ rung, ringBytes: 65_536, isBounded: true });
    for (let i = 0; i < 40 && !capture.isPaused; i++) await exchange(['/fills', '/the', '/ring']);
    const { lost, shed = 0 } = capture.counters();
    const port = await exchange(['/unseen']);
    expect([capture.isPaused, lost, collect(capture, port)]).toEqual([true, 0, []]);
    expect(capture.counters()['shed']).toBeGreaterThan(shed);
    capture.setPaused(false);
    const after = await exchange(['/seen']);
    expect(collect(capture, after).length).toBeGreaterThan(0);
  });

  test('a request is seen at both ends, with role, sequence number and every byte counted', async () => {
    const capture = open({ rung });
    const port = await exchange(['/hello']);
    const data = collect(capture, port).filter(({ kind }) => kind === TRANSFER_DATA);
    const at = (role: number, direction: number): Seen[] =>
      data.filter((one) => one.role === role && one.direction === direction);
    const sent = at(ROLE_CLIENT, DIRECTION_OUT);
    const received = at(ROLE_SERVER, DIRECTION_IN);
    expect(sent[0]?.text).toMatch(/^GET \/hello HTTP\/1\.1\r\n/);
    expect(received[0]?.text).toBe(sent[0]?.text);
    expect(received[0]?.sequence).toBe(sent[0]?.sequence);
    // Both ends know where the answer begins before there is one.
    const begins = at(ROLE_SERVER, DIRECTION_OUT)[0]?.sequence;
    expect([sent[0]?.answerSequence, received[0]?.answerSequence]).toEqual([begins, begins]);
    const answered = at(ROLE_SERVER, DIRECTION_OUT).reduce((sum, { length }) => sum + length, 0);
    const read = at(ROLE_CLIENT, DIRECTION_IN).reduce((sum, { length }) => sum + length, 0);
    expect(read).toBe(answered);
    expect(data.every(({ role }) => role !== 0)).toBe(true);
    expect(new Set(data.map(({ pid }) => pid))).toEqual(new Set([process.pid]));
  });

  test('a large body is counted, not copied', async () => {
    const capture = open({ rung });
    const port = await exchange(['/big'], 'x'.repeat(300_000));
    const outgoing = collect(capture, port).filter(
      (one) => one.role === ROLE_SERVER && one.direction === DIRECTION_OUT,
    );
    const length = outgoing.reduce((sum, one) => sum + one.length, 0);
    const captured = outgoing.reduce((sum, one) => sum + one.captured, 0);
    expect(length).toBeGreaterThan(300_000);
    expect(captured).toBeLessThanOrEqual(8192 + 512);
  });

  test('a full ring loses events, counts them, and says so at the next event of the socket', async () => {
    const capture = open({ rung, ringBytes: 1 << 16 });
    const paths = Array.from({ length: 200 }, (_, at) => `/${at}`);
    const port = await exchange(paths);
    expect(capture.counters()['lost']).toBeGreaterThan(0);
    expect(collect(capture, port).length).toBeGreaterThan(0);
  });

  test('every chunk of the first turn after connect() keeps the cause that connect() had', async () => {
    const capture = open({ rung });
    const sockets: Socket[] = [];
    let heard = '';
    let done = (): void => undefined;
    const isDone = new Promise<void>((resolve) => {
      done = resolve;
    });
    const upstream = await listen((text) => {
      heard += text;
      if (heard === 'onetwo') done();
    });
    const front = await listen((text) => {
      // The call is begun for the first request, and spoken on after the second was read.
      if (text === 'first')
        sockets.push(
          connect({ port: portOf(upstream), host: '127.0.0.1' }, () => other.write('second')),
        );
      else {
        sockets[0]?.write('one');
        setTimeout(() => sockets[0]?.write('two'), 20);
      }
    });
    const other = connect(portOf(front));
    const asker = connect({ port: portOf(front) }, () => asker.write('first'));
    await isDone;
    const ports = { front: portOf(front), upstream: portOf(upstream) };
    for (const socket of [asker, other, ...sockets]) socket.destroy();
    front.close();
    upstream.close();

    const all = collect(capture).filter(({ kind }) => kind === TRANSFER_DATA);
    const first = all.find(({ localPort, text }) => localPort === ports.front && text === 'first');
    const spoken = all.filter(
      ({ remotePort, direction }) => remotePort === ports.upstream && direction === DIRECTION_OUT,
    );
    expect(spoken.map(({ text }) => text)).toEqual(['one', 'two']);
    for (const { causeKind, causeId } of spoken) {
      expect({ causeKind, causeId }).toEqual({ causeKind: CAUSE_CONNECT, causeId: first?.turnId });
    }
  });

  test('nothing stays in the kernel after close', async () => {
    const programs = (): string[] =>
      execFileSync('bpftool', ['prog', 'show'], { encoding: 'utf8' }).match(
        /^\d+(?=:.* name on_\w+)/gm,
      ) ?? [];
    // Of another agent on this machine, or of a test before whose programs go a moment later.
    const others = programs();
    const capture = open({ rung });
    const own = programs().filter((id) => !others.includes(id));
    expect(own).toHaveLength(capture.programs().length);
    capture.close();
    capture.close();
    const left = (): string[] => programs().filter((id) => own.includes(id));
    await expect.poll(left, { timeout: 5_000 }).toEqual([]);
    expect(capture.drain(() => undefined)).toBe(0);
  });
});
