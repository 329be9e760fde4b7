import { connect } from 'node:net';
import { createRelay } from './relay.ts';

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
  const server = createRelay(() => connect(Number(port), hostname));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(socketPath, resolve);
  });
  return { socketPath, close: () => void server.close() };
}
