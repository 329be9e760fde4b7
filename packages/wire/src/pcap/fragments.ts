export interface Fragment {
  readonly atNs: bigint;
  /** Same for all fragments of one packet: addresses, identification and protocol. */
  readonly key: string;
  /** Bytes before this fragment in the packet's payload. */
  readonly offset: number;
  readonly isLast: boolean;
  readonly bytes: Uint8Array;
}

/** Puts IP fragments together again. */
export interface FragmentTable {
  /** The whole payload once nothing is missing, else that it waits or was refused. */
  add(fragment: Fragment): Uint8Array | 'fragment' | 'fragment-limit' | 'malformed';
}

interface Packet {
  readonly beganNs: bigint;
  readonly pieces: Fragment[];
  totalBytes: number;
}

/** 256 packets of at most 64 KiB: 16 MiB. */
const PACKETS_MAX = 256;
const PIECES_MAX = 1024;
const PACKET_BYTES_MAX = 65_535;
/** Source: RFC 8200 §4.5: what is not complete after 60 seconds is given up. */
const TIMEOUT_NS = 60_000_000_000n;

/** Fragments may come in any order, twice, and overlap; of an overlap the first one counts. */
export function createFragmentTable(): FragmentTable {
  const packets = new Map<string, Packet>();

  function packetOf({ key, atNs }: Fragment): Packet {
    let packet = packets.get(key);
    if (packet !== undefined && atNs - packet.beganNs > TIMEOUT_NS) {
      packets.delete(key);
      packet = undefined;
    }
    if (packet === undefined) {
      if (packets.size >= PACKETS_MAX) packets.delete(packets.keys().next().value ?? '');
      packet = { beganNs: atNs, pieces: [], totalBytes: -1 };
      packets.set(key, packet);
    }
    return packet;
  }

  return {
    add(fragment) {
      const end = fragment.offset + fragment.bytes.length;
      if (end > PACKET_BYTES_MAX) return 'malformed';
      const packet = packetOf(fragment);
      if (packet.pieces.length >= PIECES_MAX) {
        packets.delete(fragment.key);
        return 'fragment-limit';
      }
      packet.pieces.push(fragment);
      if (fragment.isLast) packet.totalBytes = end;
      const whole = joined(packet);
      if (whole === undefined) return 'fragment';
      packets.delete(fragment.key);
      return whole;
    },
  };
}

function joined({ pieces, totalBytes }: Packet): Uint8Array | undefined {
  if (totalBytes < 0) return undefined;
  const sorted = [...pieces].sort((a, b) => a.offset - b.offset);
  const whole = new Uint8Array(totalBytes);
  let filled = 0;
  for (const { offset, bytes } of sorted) {
    if (offset > filled) return undefined;
    const end = Math.min(offset + bytes.length, totalBytes);
    if (end <= filled) continue;
    whole.set(bytes.subarray(filled - offset, end - offset), filled);
    filled = end;
  }
  return filled === totalBytes ? whole : undefined;
}
