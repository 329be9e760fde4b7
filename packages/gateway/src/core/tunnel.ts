import type { Connection, ConnectionListener } from './sockets/connection.ts';

/** A client that was told the end gets so long to go, and as often while octets wait for it. */
const LINGER_MS = 1_000;
const LINGER_ROUNDS = 60;

/**
 * Octets both ways. A client's end is passed on and the node may go on; the node's end is the end, once
 * the client has been sent all. `over` is called once.
 */
export function joinConnections(client: Connection, node: Connection, over: () => void): void {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;

  function stop(): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    client.destroy();
    node.destroy();
    over();
  }

  function linger(rounds: number): void {
    timer = setTimeout(() => {
      if (client.isBehind() && rounds > 1) linger(rounds - 1);
      else stop();
    }, LINGER_MS);
  }

  client.listen(relay(client, node, { ended: () => node.end(), closed: stop }));
  const ended = (): void => node.destroy();
  const closed = (): void => {
    if (isOver) return;
    client.end();
    linger(LINGER_ROUNDS);
  };
  node.listen(relay(node, client, { ended, closed }));
}

function relay(
  source: Connection,
  target: Connection,
  { ended, closed }: Pick<ConnectionListener, 'ended' | 'closed'>,
): ConnectionListener {
  return {
    connected: () => undefined,
    data(bytes) {
      if (!target.write('', bytes)) source.pause();
    },
    // What `target` had sent has left here: it may be read again.
    drained: () => target.resume(),
    ended,
    closed,
  };
}
