import type { HostProcess } from './host-process.ts';
import type { LoadOrder, LoadReport } from './load-report.ts';

const REQUESTS_MAX = 1e6;
const CONNECTIONS_MAX = 512;
const DRIVE_MS_MAX = 600_000;

/** Sends `requests` over `connections`, each waiting for its answer. One drive at a time. */
export type Drive = (
  requests: number,
  connections: number,
  pauseMs?: number,
) => Promise<LoadReport>;

/** Lets a client (services/client.ts) send the requests of its day, one order after the other. */
export function createDriver(client: HostProcess): Drive {
  let sent = 0;
  return async (requests, connections, pauseMs = 0) => {
    const order: LoadOrder = {
      requests: Math.min(requests, REQUESTS_MAX),
      connections: Math.min(connections, CONNECTIONS_MAX),
      from: sent,
      pauseMs,
    };
    sent += order.requests;
    client.write(JSON.stringify(order));
    return JSON.parse(await client.line(DRIVE_MS_MAX)) as LoadReport; // services/client.ts writes it.
  };
}
