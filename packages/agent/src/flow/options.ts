import type { FlowCounters } from './counters.ts';
import type { Connection, Exchange, RequestPart } from './exchange.ts';
import type { Transfer } from './transfer.ts';

/** Kept in rows unless the settings say otherwise. */
export const DEFAULT_HEADERS: readonly string[] = [
  'host',
  'user-agent',
  'content-type',
  'content-length',
  'accept',
  'referer',
  'via',
  'server',
  'x-forwarded-for',
  'x-request-id',
  'traceparent',
];

export interface FlowLimits {
  /** Connections held; past it one that was idle for long is dropped. About 1 KB each. */
  readonly connectionsMax: number;
  /** Requests of one connection that wait for answers; past it the oldest is given up. */
  readonly pipelinedMax: number;
  /**
   * A request without an answer for so long goes out alone; before, when its connection ends. No
   * gateway waits longer by default (nginx and APISIX read for 60 s), and then the end is seen.
   */
  readonly requestTimeoutMs: number;
  /** A message whose end was not captured is over after so long without a byte. */
  readonly settleMs: number;
  readonly headBytesMax: number;
}

export interface FlowOptions {
  /** Names whose values are kept. Values of secrets become `[redacted]` even if named here. */
  readonly headers?: readonly string[];
  /** Names whose values are never kept, beside those that never are. */
  readonly headersRedacted?: readonly string[];
  /**
   * A request's head is complete; its sizes and `endNs` are provisional and grow in place. The
   * exchange that ends it carries this very object, so it can serve as a key.
   */
  readonly onRequest?: (connection: Connection, request: RequestPart) => void;
  /** Any number of messages passed unseen: their bytes were not captured. The transfer is the call's. */
  readonly onHidden?: (connection: Connection, transfer: Transfer) => void;
  /** Exactly once for each request, and once for each response that has no request of its own. */
  readonly onExchange: (exchange: Exchange) => void;
  readonly limits?: Partial<FlowLimits>;
}

/** Transfers to exchanges, for all connections of one source. */
export interface Flow {
  /** Takes the next transfer; nothing of it is kept. */
  transfer(transfer: Transfer): void;
  /** Gives up what waited too long; call it often, it looks at most once a second. */
  flush(nowNs: number): void;
  /** Transfers will be missing from here on: what is open goes out as it is, marked as lossy. */
  interrupt(): void;
  counters(): FlowCounters;
  /** Ends every connection: what is open goes out as it is. */
  close(): void;
}

export const FLOW_LIMITS: FlowLimits = {
  connectionsMax: 65_536,
  pipelinedMax: 256,
  requestTimeoutMs: 60_000,
  settleMs: 1_000,
  headBytesMax: 65_536,
};
