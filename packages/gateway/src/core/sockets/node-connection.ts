import { connect as connectTcp, type Socket } from 'node:net';
import type { Connection, ConnectionListener, Ends } from './connection.ts';

/** What Node asks of the kernel in one read, too. */
const READ_BYTES = 65_536;
/** Text is copied in front of octets up to this size, so that one write carries both. */
const JOIN_BYTES_MAX = 16_384;

/** A connection over a socket of Node's, plain or secured. */
export function nodeConnection(
  socket: Socket,
  connectEvent?: 'connect' | 'secureConnect',
): Connection {
  return wrap(socket, connectEvent).connection;
}

/** Opens plain connections. Reads go into one buffer: each is used up before the next. */
export function createNodeConnector(): (host: string, port: number) => Connection {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  return (host, port) => {
    const onread = {
      buffer,
      callback(size: number): boolean {
        receive(buffer.subarray(0, size));
        return true;
      },
    };
    const socket = connectTcp({ host, port, noDelay: true, allowHalfOpen: true, onread });
    const { connection, receive } = wrap(socket, 'connect');
    return connection;
  };
}

function wrap(
  socket: Socket,
  connectEvent: string | undefined,
): { readonly connection: Connection; receive(bytes: Buffer): void } {
  let listener: ConnectionListener | undefined;
  const receive = (bytes: Buffer): void => listener?.data(bytes);
  if (connectEvent !== undefined) socket.once(connectEvent, () => listener?.connected());
  // Listening for data is what starts the reading: not before somebody listens here.
  const begin = (): void => {
    socket.on('data', receive);
    socket.on('end', () => listener?.ended());
    socket.on('drain', () => listener?.drained());
  };
  socket.on('error', () => socket.destroy());
  socket.on('close', () => listener?.closed());

  const connection: Connection = {
    get ends() {
      return endsOf(socket);
    },
    listen(next) {
      const isFirst = listener === undefined;
      listener = next;
      if (isFirst) begin();
    },
    onClosed: (callback) => void socket.once('close', callback),
    write(text, bytes) {
      if (text === '') return bytes.length === 0 || socket.write(Buffer.from(bytes));
      if (bytes.length === 0) return socket.write(text, 'latin1');
      if (bytes.length <= JOIN_BYTES_MAX) {
        const joined = Buffer.allocUnsafe(text.length + bytes.length);
        joined.write(text, 0, 'latin1');
        bytes.copy(joined, text.length);
        return socket.write(joined);
      }
      socket.cork();
      socket.write(text, 'latin1');
      const isReady = socket.write(Buffer.from(bytes));
      socket.uncork();
      return isReady;
    },
    cork: () => socket.cork(),
    uncork: () => socket.uncork(),
    isBehind: () => socket.writableLength > 0,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
  return { connection, receive };
}

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): Ends {
  return {
    localAddress: localAddress ?? '',
    localPort: localPort ?? 0,
    remoteAddress: remoteAddress ?? '',
    remotePort: remotePort ?? 0,
  };
}
