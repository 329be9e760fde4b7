import { PACKET_INGRESS } from '../kernel/events.gen.ts';

/**
 * What one side of a TCP connection said, at one network interface, until the other side said
 * something. Times are the kernel's monotonic nanoseconds, as of transfers. Counts by direction are
 * of everything since the turn before.
 */
export interface Turn {
  /** The connection at that interface; exact below 2^53. */
  readonly flowId: number;
  /** `PACKET_INGRESS` or `PACKET_EGRESS`. */
  readonly direction: number;
  /** Direction in which the client sends; 0 when the connection is older than the observation. */
  readonly clientDirection: number;
  /** Of the first byte. */
  readonly sequence: number;
  /** Of payload; repeated ones are not counted. */
  readonly bytes: number;
  readonly firstNs: number;
  readonly lastNs: number;
  /** 0: none. */
  readonly vlan: number;
  readonly retransmissions: ByDirection;
  /** Segments that said "send nothing": the sender of the segment cannot take more. */
  readonly zeroWindows: ByDirection;
}

export interface ByDirection {
  readonly ingress: number;
  readonly egress: number;
}

/** `bytes` are the kernel's, to be looked at during the call only; `keyAt` is where the flow's key is. */
export type TurnSink = (turn: Turn, bytes: Uint8Array, keyAt: number) => void;

/** Whether the turn holds the byte with that sequence number. */
export function holds({ sequence, bytes }: Turn, wanted: number): boolean {
  return (wanted - sequence) >>> 0 < bytes;
}

export function inDirection(counts: ByDirection, direction: number): number {
  return direction === PACKET_INGRESS ? counts.ingress : counts.egress;
}
