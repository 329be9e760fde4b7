import type { FragmentTable } from './fragments.ts';
import { linkPayload, type SkipReason, uint16, uint32 } from './frame.ts';
import type { CapturedPacket } from './packet.ts';

/** A TCP segment; addresses and payload show `bytes`, which may be a rebuilt packet. */
export interface TcpSegment {
  readonly atNs: bigint;
  readonly ipVersion: 4 | 6;
  readonly bytes: Uint8Array;
  readonly sourceAt: number;
  readonly targetAt: number;
  readonly sourcePort: number;
  readonly targetPort: number;
  readonly sequence: number;
  readonly flags: number;
  /** The payload's captured part is `bytes[payloadAt, payloadAt + captured)`. */
  readonly payloadAt: number;
  readonly captured: number;
  readonly length: number;
}

export const TCP_FIN = 1;
export const TCP_SYN = 2;
export const TCP_RST = 4;
export const TCP_ACK = 16;

const PROTOCOL_TCP = 6;
/** IPv6 headers that come before the payload: hop-by-hop, routing, destination, mobility… */
const EXTENSIONS: readonly number[] = [0, 43, 60, 135, 139, 140];
const EXTENSION_FRAGMENT = 44;
const EXTENSION_AUTHENTICATION = 51;
const EXTENSIONS_MAX = 16;

/** Where the payload of one IP packet is; `end` by the packet's own length, not the capture's. */
interface IpPayload {
  readonly bytes: Uint8Array;
  readonly ipVersion: 4 | 6;
  readonly sourceAt: number;
  readonly targetAt: number;
  readonly protocol: number;
  readonly from: number;
  readonly end: number;
}

/** Finds the TCP segment of a packet, or says why there is none. Never throws. */
export function tcpSegment(
  packet: CapturedPacket,
  fragments: FragmentTable,
): TcpSegment | SkipReason {
  const link = linkPayload(packet.bytes, packet.linkType);
  if (typeof link === 'string') return link;
  const ip =
    link.etherType === 0x0800
      ? readIpv4(packet.bytes, link.from, packet.atNs, fragments)
      : readIpv6(packet.bytes, link.from, packet.atNs, fragments);
  if (typeof ip === 'string') return ip;
  if (ip.protocol !== PROTOCOL_TCP) return 'not-tcp';
  return readTcp(ip, packet.atNs);
}

function readIpv4(
  bytes: Uint8Array,
  at: number,
  atNs: bigint,
  fragments: FragmentTable,
): IpPayload | SkipReason {
  const headerBytes = ((bytes[at] ?? 0) & 15) * 4;
  if ((bytes[at] ?? 0) >> 4 !== 4 || headerBytes < 20 || at + headerBytes > bytes.length) {
    return 'malformed';
  }
  // Segmentation offload leaves 0: the packet is as long as what was captured.
  const totalBytes = uint16(bytes, at + 2) || bytes.length - at;
  if (totalBytes < headerBytes) return 'malformed';
  const payload: IpPayload = {
    bytes,
    ipVersion: 4,
    sourceAt: at + 12,
    targetAt: at + 16,
    protocol: bytes[at + 9] ?? 0,
    from: at + headerBytes,
    end: at + totalBytes,
  };
  const fragment = uint16(bytes, at + 6);
  const offset = (fragment & 0x1fff) * 8;
  const isLast = (fragment & 0x2000) === 0;
  if (offset === 0 && isLast) return payload;
  return rebuild(payload, atNs, uint16(bytes, at + 4), offset, isLast, fragments);
}

function readIpv6(
  bytes: Uint8Array,
  at: number,
  atNs: bigint,
  fragments: FragmentTable,
): IpPayload | SkipReason {
  if (at + 40 > bytes.length) return 'malformed';
  const payloadBytes = uint16(bytes, at + 4) || bytes.length - at - 40;
  const end = at + 40 + payloadBytes;
  const common = { bytes, ipVersion: 6, sourceAt: at + 8, targetAt: at + 24, end } as const;
  let protocol = bytes[at + 6] ?? 0;
  let from = at + 40;
  for (let count = 0; count < EXTENSIONS_MAX; count += 1) {
    if (from > bytes.length) return 'malformed';
    const next = bytes[from] ?? 0;
    if (protocol === EXTENSION_FRAGMENT) {
      if (from + 8 > bytes.length) return 'malformed';
      const field = uint16(bytes, from + 2);
      const payload = { ...common, protocol: next, from: from + 8 };
      const isLast = (field & 1) === 0;
      if ((field & 0xfff8) === 0 && isLast) return payload;
      return rebuild(payload, atNs, uint32(bytes, from + 4), field & 0xfff8, isLast, fragments);
    }
    if (protocol === EXTENSION_AUTHENTICATION) from += ((bytes[from + 1] ?? 0) + 2) * 4;
    else if (EXTENSIONS.includes(protocol)) from += ((bytes[from + 1] ?? 0) + 1) * 8;
    else return { ...common, protocol, from };
    protocol = next;
  }
  return 'malformed';
}

function rebuild(
  payload: IpPayload,
  atNs: bigint,
  id: number,
  offset: number,
  isLast: boolean,
  fragments: FragmentTable,
): IpPayload | SkipReason {
  const { bytes, sourceAt, targetAt, from, end, protocol } = payload;
  if (end > bytes.length || end < from) return 'malformed';
  const addressBytes = payload.ipVersion === 4 ? 4 : 16;
  const whole = fragments.add({
    atNs,
    key: [
      bytes.subarray(sourceAt, sourceAt + addressBytes).join('.'),
      bytes.subarray(targetAt, targetAt + addressBytes).join('.'),
      id,
      protocol,
    ].join('|'),
    offset,
    isLast,
    bytes: bytes.subarray(from, end),
  });
  if (typeof whole === 'string') return whole;
  // The rebuilt packet: both addresses, then the payload.
  const rebuilt = new Uint8Array(addressBytes * 2 + whole.length);
  rebuilt.set(bytes.subarray(sourceAt, sourceAt + addressBytes), 0);
  rebuilt.set(bytes.subarray(targetAt, targetAt + addressBytes), addressBytes);
  rebuilt.set(whole, addressBytes * 2);
  return {
    bytes: rebuilt,
    ipVersion: payload.ipVersion,
    sourceAt: 0,
    targetAt: addressBytes,
    protocol,
    from: addressBytes * 2,
    end: rebuilt.length,
  };
}

function readTcp(ip: IpPayload, atNs: bigint): TcpSegment | SkipReason {
  const { bytes, from, end } = ip;
  if (from + 20 > bytes.length) return 'malformed';
  const headerBytes = ((bytes[from + 12] ?? 0) >> 4) * 4;
  const payloadAt = from + headerBytes;
  if (headerBytes < 20 || payloadAt > end) return 'malformed';
  return {
    atNs,
    ipVersion: ip.ipVersion,
    bytes,
    sourceAt: ip.sourceAt,
    targetAt: ip.targetAt,
    sourcePort: uint16(bytes, from),
    targetPort: uint16(bytes, from + 2),
    sequence: uint32(bytes, from + 4),
    flags: bytes[from + 13] ?? 0,
    payloadAt,
    captured: Math.max(0, Math.min(end, bytes.length) - payloadAt),
    length: end - payloadAt,
  };
}
