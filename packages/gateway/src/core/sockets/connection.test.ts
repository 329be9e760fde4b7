// One contract for both kinds of connection, with a plain peer of Node's on the other side.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listenOn } from '../listeners.ts';
import type { Connection, ConnectionListener } from './connection.ts';
import { openNativeSockets } from './native-sockets.ts';
import { createNodeConnector, nodeConnection } from './node-connection.ts';

interface Kind {
  connect(ip: string, port: number): Connection;
  /** Answers the port. */
  listen(accept: (connection: Connection) => void): Promise<number>;
  close(): Promise<void>;
}

const EMPTY = Buffer.alloc(0);
const LARGE_BYTES = 8 << 20;

function refuse(message: string): void {
  throw new Error(message);
}

const KINDS: Readonly<Record<string, () => Kind>> = {
  native() {
    const sockets = openNativeSockets({ round: () => undefined, isShared: false, warn: refuse });
    if (sockets === undefined) throw new Error('BUG: no sockets, and no warning');
    const closers: (() => Promise<void>)[] = [];
    return {
      connect: sockets.connect,
      async listen(accept) {
        const listening = sockets.listen('127.0.0.1', 0, accept);
        closers.push(listening.close);
        return listening.port;
      },
      async close() {
        await Promise.all(closers.map((close) => close()));
        sockets.close();
      },
    };
  },
  node() {
    const servers: Server[] = [];
    return {
      connect: createNodeConnector(),
      listen(accept) {
        const server = createServer({ allowHalfOpen: true }, (socket) => {
          accept(nodeConnection(socket));
        });
        servers.push(server);
        return listenOn(server, { ip: '127.0.0.1', port: 0 });
      },
      async close() {
        await Promise.all(servers.map((one) => new Promise((resolve) => one.close(resolve))));
      },
    };
  },
};

/** What happened to a connection, and what it was sent. */
function recorded(connection: Connection, more: Partial<ConnectionListener> = {}) {
  const events: string[] = [];
  const pieces: Buffer[] = [];
  const closed = new Promise<void>((resolve) => connection.onClosed(resolve));
  connection.listen({
    connected() {
      events.push('connected');
      more.connected?.();
    },
    data(bytes) {
      pieces.push(Buffer.from(bytes));
      more.data?.(bytes);
    },
    ended() {
      events.push('ended');
      more.ended?.();
    },
    drained() {
      events.push('drained');
      more.drained?.();
    },
    closed: () => void events.push('closed'),
  });
  return { events, closed, octets: () => Buffer.concat(pieces) };
}

/** All that a peer of Node's is sent until the end. */
async function readAll(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece as Buffer); // No encoding is set.
  return Buffer.concat(pieces);
}

/** Octets that no shift of them equals. */
function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 7) & 0xff;
  return bytes;
}

describe.each(Object.entries(KINDS))('a connection of kind %s', (_name, open) => {
  let kind: Kind;
  let peers: Socket[] = [];
  beforeAll(() => {
    kind = open();
  });
  afterEach(() => {
    for (const peer of peers) peer.destroy();
    peers = [];
  });
  afterAll(() => kind.close());

  async function pair(): Promise<{ own: Connection; peer: Socket; port: number }> {
    let accepted: (connection: Connection) => void = () => undefined;
    const taken = new Promise<Connection>((resolve) => (accepted = resolve));
    const port = await kind.listen((connection) => accepted(connection));
    const peer = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    peers.push(peer);
    const own = await taken;
    return { own, peer, port };
  }

  test('tells the addresses of both sides', async () => {
    const { own, peer, port } = await pair();
    expect(own.ends).toEqual({
      localAddress: '127.0.0.1',
      localPort: port,
      remoteAddress: '127.0.0.1',
      remotePort: peer.localPort,
    });
    const seen = recorded(own);
    own.destroy();
    await seen.closed;
    expect(seen.events).toEqual(['closed']);
  });

  test('loses and reorders nothing, however much is written at once', async () => {
    const { own, peer } = await pair();
    recorded(own);
    const large = pattern(LARGE_BYTES);
    own.write('text ', EMPTY);
    own.cork();
    own.write('a', Buffer.from('b'));
    own.write('', pattern(200_000));
    own.uncork();
    const isReady = own.write('head ', large);
    own.write('tail', EMPTY);
    own.end();
    const got = await readAll(peer);
    const wanted = [Buffer.from('text ab'), pattern(200_000), Buffer.from('head '), large];
    expect(isReady).toBe(false);
    expect(got.equals(Buffer.concat([...wanted, Buffer.from('tail')]))).toBe(true);
    peer.end();
  });

  test('what one holds back is not mixed with what another sends', async () => {
    const one = await pair();
    const other = await pair();
    for (const { own } of [one, other]) recorded(own);
    one.own.cork();
    one.own.write('one ', EMPTY);
    other.own.write('other', EMPTY);
    one.own.write('more', EMPTY);
    one.own.uncork();
    one.own.end();
    other.own.end();
    expect(String(await readAll(one.peer))).toBe('one more');
    expect(String(await readAll(other.peer))).toBe('other');
  });

  test('takes all octets, and the end of either side on its own', async () => {
    const { own, peer } = await pair();
    const seen = recorded(own, { ended: () => own.write('still here', EMPTY) && own.end() });
    const large = pattern(LARGE_BYTES);
    peer.end(large);
    expect(String(await readAll(peer))).toBe('still here');
    await seen.closed;
    expect(seen.octets().equals(large)).toBe(true);
    expect(seen.events.filter((event) => event !== 'drained')).toEqual(['ended', 'closed']);
  });

  test('reads nothing while it pauses, and all of it afterwards', async () => {
    const { own, peer } = await pair();
    let isPaused = false;
    let isEarly = false;
    const seen = recorded(own, {
      data() {
        isEarly ||= isPaused;
        isPaused = true;
        own.pause();
        setTimeout(() => {
          isPaused = false;
          own.resume();
        }, 1);
      },
      ended: () => own.end(),
    });
    const large = pattern(1 << 20);
    peer.end(large);
    await readAll(peer);
    await seen.closed;
    expect({ isEarly, isWhole: seen.octets().equals(large) }).toEqual({
      isEarly: false,
      isWhole: true,
    });
  });

  test('a peer that resets the connection closes it', async () => {
    const { own, peer } = await pair();
    const seen = recorded(own);
    peer.resetAndDestroy();
    await seen.closed;
    expect(seen.events).toEqual(['closed']);
  });

  test('one that is opened sends what was written before it stood', async () => {
    const got = new Promise<Buffer>((resolve, reject) => {
      const server = createServer((socket) => {
        server.close();
        readAll(socket).then(resolve, reject);
      });
      void listenOn(server, { ip: '127.0.0.1', port: 0 }).then((port) => {
        const own = kind.connect('127.0.0.1', port);
        recorded(own, { connected: () => own.end() });
        own.write('early ', Buffer.from('bird'));
      });
    });
    expect(String(await got)).toBe('early bird');
  });

  test.each([
    { name: 'a closed port', ip: '127.0.0.1', port: 1 },
    { name: 'no address', ip: 'x..invalid', port: 80 },
  ])('one to $name closes without having stood', async ({ ip, port }) => {
    const seen = recorded(kind.connect(ip, port));
    await seen.closed;
    expect(seen.events).toEqual(['closed']);
  });
});

test('a native listener says why it cannot listen, as Node does', async () => {
  const server = createServer();
  const port = await listenOn(server, { ip: '127.0.0.1', port: 0 });
  const sockets = openNativeSockets({ round: () => undefined, isShared: false, warn: refuse });
  expect(() => sockets?.listen('127.0.0.1', port, () => undefined)).toThrow(
    expect.objectContaining({ code: 'EADDRINUSE', syscall: 'listen', port }),
  );
  sockets?.close();
  server.close();
});
