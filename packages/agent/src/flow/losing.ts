import type { TransferSink } from './transfer.ts';

/** Connections that wait to be told of a loss; past it they are forgotten: they have ended. */
const CONNECTIONS_MAX = 65_536;

/**
 * Leaves out the transfers that `isLost` names, counted from 1, as a full ring does: the next one of
 * the connection says how many. For tests and benches of what loss does to links.
 */
export function losing(sink: TransferSink, isLost: (at: number) => boolean): TransferSink {
  const lostOf = new Map<number, number>();
  let at = 0;
  return (transfer) => {
    at += 1;
    const { connection } = transfer;
    const lost = lostOf.get(connection) ?? 0;
    if (isLost(at)) {
      if (lostOf.size >= CONNECTIONS_MAX) lostOf.clear();
      lostOf.set(connection, lost + 1);
      return;
    }
    if (lost > 0) {
      lostOf.delete(connection);
      transfer.lostBefore += lost;
    }
    sink(transfer);
  };
}
