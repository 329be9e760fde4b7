import { createSocket } from 'node:dgram';
import { connect as connectPlain, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { timerMs } from '../../core/timer-ms.ts';
import type { SendFailure } from './batch-processor.ts';

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

export interface StreamOptions extends SocketAddress {
  readonly hasTls: boolean;
  /** Name for the handshake; the certificate is not verified, as APISIX has it. */
  readonly serverName: string | undefined;
}

/** Writes `text` on a connection of its own, and waits until the other side has all of it. */
export function sendStream(options: StreamOptions, text: string): Promise<SendFailure | undefined> {
  const { host, port, timeoutMs, hasTls, serverName } = options;
  return new Promise((resolve) => {
    const socket: Socket = hasTls
      ? connectTls({
          host,
          port,
          rejectUnauthorized: false,
          ...(serverName === undefined ? {} : { servername: serverName }),
        })
      : connectPlain({ host, port });
    socket.setTimeout(timerMs(timeoutMs), () =>
      socket.destroy(new Error(`idle for ${timeoutMs} ms`)),
    );
    socket.on('error', (error) => resolve(failure(options, error)));
    socket.on('close', () => resolve(undefined));
    // A receiver that keeps its end open would hold the connection until the time is over.
    socket.on('finish', () => socket.destroySoon());
    socket.resume();
    socket.end(text);
  });
}

/** One datagram for each text. */
export function sendDatagrams(
  address: SocketAddress,
  texts: readonly string[],
): Promise<SendFailure | undefined> {
  const { host, port, timeoutMs } = address;
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    let waiting = texts.length;
    const end = (error: Error | null): void => {
      clearTimeout(timer);
      if (waiting < 0) return;
      waiting = -1;
      socket.close();
      resolve(error === null ? undefined : failure(address, error));
    };
    const late = (): void => end(new Error(`not sent in ${timeoutMs} ms`));
    const timer = setTimeout(late, timerMs(timeoutMs));
    socket.on('error', end);
    for (const text of texts) {
      socket.send(text, port, host, (error) => {
        waiting -= 1;
        if (error !== null) end(error);
        else if (waiting === 0) end(null);
      });
    }
  });
}

function failure({ host, port }: SocketAddress, { message }: Error): SendFailure {
  return { reason: `${host}:${port}: ${message}`, mayRetry: true };
}
