/** One captured frame. `bytes` shows the file's own memory; nothing is copied. */
export interface CapturedPacket {
  /** Nanoseconds since the epoch. */
  readonly atNs: bigint;
  readonly linkType: number;
  readonly bytes: Uint8Array;
  /** Length on the wire; larger than `bytes.length` when the capture cut it. */
  readonly wireLength: number;
}

/** Why reading stopped before the file's end; what was read until then stays good. */
export interface CaptureError {
  readonly code:
    | 'not-a-capture'
    | 'truncated'
    | 'bad-length'
    | 'bad-section'
    | 'too-many-interfaces';
  readonly message: string;
}

/** Takes packets in file order; each is valid as long as the memory of the file is. */
export type PacketSink = (packet: CapturedPacket) => void;

/** No link of ours carries more; a longer record is garbage. tcpdump's own limit is 256 KiB. */
export const PACKET_BYTES_MAX = 262_144;
