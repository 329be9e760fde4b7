import type { OpaqueReason } from './opaque.ts';
import type { Trouble } from './protocol.ts';

/** Counts since the flow began. */
export interface FlowCounters {
  readonly transfers: number;
  readonly requests: number;
  readonly responses: number;
  readonly exchanges: number;
  /** Exchanges that are a request or a response alone. */
  readonly unpaired: number;
  /** Times that transfers were missing on a connection. */
  readonly losses: number;
  /** Heads of which only a beginning was captured. */
  readonly headsCut: number;
  /** Connections that switched to another protocol by CONNECT or 101. */
  readonly tunnels: number;
  /** Connections forgotten because too many were open. */
  readonly connectionsDropped: number;
  /** Connections that ended without one message that was understood. */
  readonly connectionsUnknown: number;
  /** Requests given up because too many of one connection waited. */
  readonly pipelinedDropped: number;
  /** Connections that began with a protocol that is not understood, by what it looks like. */
  readonly opaque: Readonly<Record<OpaqueReason, number>>;
  readonly troubles: Readonly<Record<Trouble, number>>;
  /** Connections held now. */
  readonly open: number;
}

type Counting<T> = { -readonly [K in keyof T]: T[K] extends number ? number : Counting<T[K]> };

export type CountingFlow = Counting<Omit<FlowCounters, 'open'>>;

export function createFlowCounters(): CountingFlow {
  return {
    transfers: 0,
    requests: 0,
    responses: 0,
    exchanges: 0,
    unpaired: 0,
    losses: 0,
    headsCut: 0,
    tunnels: 0,
    connectionsDropped: 0,
    connectionsUnknown: 0,
    pipelinedDropped: 0,
    opaque: { tls: 0, http2: 0, other: 0 },
    troubles: {
      'not-http1': 0,
      'not-redis': 0,
      'not-postgresql': 0,
      'not-fastcgi': 0,
      'head-too-large': 0,
      'chunk-framing': 0,
      gap: 0,
    },
  };
}
