/** What one sender sent to one receiver. */
export interface SenderAccount {
  readonly sender: string;
  readonly receiver: string;
  readonly requests: number;
  /** Requests that were not answered with success. */
  readonly failed: number;
  readonly bytes: number;
  readonly rows: number;
  readonly rejected: number;
  readonly lastSeenMs: number;
}

export interface Entry {
  readonly receiver: string;
  readonly sender: string;
  readonly status: number;
  readonly bytes: number;
  readonly rows: number;
  readonly rejected: number;
  readonly reason: string;
}

/** Who sent what, and what became of it. */
export interface Accounts {
  add(entry: Entry): void;
  /** By dotted name: `otlp_traces.requests`, `otlp_traces.status.200`, `otlp_traces.reason.busy`. */
  counters(): Record<string, number>;
  /** The latest first. */
  senders(): SenderAccount[];
}

/** Senders told apart, by receiver; the one not seen for the longest time is forgotten. */
const SENDERS_MAX = 1_000;
/** Statuses, receivers and reasons are few; this is for a mistake of ours. */
const COUNTERS_MAX = 2_000;

export function createAccounts(now: () => number): Accounts {
  const counters = new Map<string, number>();
  const senders = new Map<string, { -readonly [Key in keyof SenderAccount]: SenderAccount[Key] }>();

  function count(name: string, by: number): void {
    if (by === 0) return;
    const before = counters.get(name);
    if (before === undefined && counters.size >= COUNTERS_MAX) return;
    counters.set(name, (before ?? 0) + by);
  }

  return {
    add: ({ receiver, sender, status, bytes, rows, rejected, reason }) => {
      count(`${receiver}.requests`, 1);
      count(`${receiver}.status.${status}`, 1);
      count(`${receiver}.bytes`, bytes);
      count(`${receiver}.rows`, rows);
      count(`${receiver}.rejected`, rejected);
      if (reason !== '') count(`${receiver}.reason.${reason}`, 1);
      const key = `${receiver} ${sender}`;
      const known = senders.get(key);
      const account = known ?? {
        sender,
        receiver,
        requests: 0,
        failed: 0,
        bytes: 0,
        rows: 0,
        rejected: 0,
        lastSeenMs: 0,
      };
      account.requests += 1;
      if (isFailure(receiver, status)) account.failed += 1;
      account.bytes += bytes;
      account.rows += rows;
      account.rejected += rejected;
      account.lastSeenMs = now();
      // To the end of the map: its order is that of the last request.
      senders.delete(key);
      senders.set(key, account);
      const [oldest] = senders.keys();
      if (senders.size > SENDERS_MAX && oldest !== undefined) senders.delete(oldest);
    },
    counters: () => Object.fromEntries(counters),
    senders: () => [...senders.values()].toReversed().map((account) => ({ ...account })),
  };
}

/** gRPC's statuses are its codes: 0 is success. */
function isFailure(receiver: string, status: number): boolean {
  return receiver.startsWith('grpc_') ? status !== 0 : status >= 400;
}
