import type { Exchange } from '../flow/exchange.ts';
import type { ProtocolName } from '../flow/protocol.ts';
import type { Turn } from './turn.ts';

/** `off`; `requests`: of requests that a process here told of; `all`: of every TCP conversation. */
export const NETWORK_SPANS = ['off', 'requests', 'all'] as const;

/** Where a connection was seen, and between whom: what all its network spans have in common. */
export interface WireView {
  readonly flowId: number;
  readonly netns: number;
  readonly interfaceName: string;
  /** One of `OBSERVATION_POINTS`. */
  readonly point: string;
  readonly clientIp: string;
  readonly clientPort: number;
  readonly serverIp: string;
  readonly serverPort: number;
  readonly vlan: number;
  /** What a process here told that it speaks; undefined where none told. */
  readonly protocol: ProtocolName | undefined;
}

/** A request and its answer as they passed a network interface. */
export interface NetworkSpan {
  readonly view: WireView;
  readonly request: Turn;
  readonly response: Turn;
  /** What a process here said of it; undefined where none did. */
  readonly exchange: Exchange | undefined;
}
