import { connect, createServer } from 'node:net';

/** Where the relay on the shop's network hands over what SDKs send. */
export interface TelemetryDoor {
  readonly socketPath: string;
  close(): void;
}

/** Listens on a Unix socket, which namespaces of the network do not part, and joins it to the server. */
export async function openTelemetryDoor(
  socketPath: string,
  serverUrl: string,
): Promise<TelemetryDoor> {
  const { hostname, port } = new URL(serverUrl);
  const server = createServer((from) => {
    const to = connect(Number(port), hostname);
    from.pipe(to).pipe(from);
    from.on('error', () => to.destroy());
    to.on('error', () => from.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(socketPath, resolve);
  });
  return { socketPath, close: () => void server.close() };
}
