/** Why a frame holds no TCP segment that can be used. */
export type SkipReason =
  | 'link-type'
  | 'not-ip'
  | 'not-tcp'
  | 'malformed'
  | 'fragment'
  | 'fragment-limit';

/** The IP packet inside a frame, or why there is none. */
export type LinkPayload = { readonly from: number; readonly etherType: number } | SkipReason;

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
/** 802.1Q, 802.1ad and the older QinQ tag. */
const VLAN_TAGS: readonly number[] = [0x8100, 0x88a8, 0x9100];
const VLAN_DEPTH_MAX = 4;

/** Finds the IP packet of a frame. Link types as on tcpdump.org/linktypes.html. */
export function linkPayload(bytes: Uint8Array, linkType: number): LinkPayload {
  switch (linkType) {
    case 1:
      return etherPayload(bytes, 12);
    case 113: // Linux cooked v1: the protocol is its last field.
      return etherPayload(bytes, 14);
    case 276: // Linux cooked v2: the protocol is its first field, the header has 20 bytes.
      return bytes.length < 20 ? 'malformed' : ofType(uint16(bytes, 0), 20);
    case 0: // BSD loopback in the capturing host's byte order, OpenBSD's (108) in network order.
    case 108:
      return bytes.length < 4 ? 'malformed' : rawPayload(bytes, 4);
    case 12:
    case 101:
    case 228:
    case 229:
      return rawPayload(bytes, 0);
    default:
      return 'link-type';
  }
}

function etherPayload(bytes: Uint8Array, typeAt: number): LinkPayload {
  let at = typeAt;
  for (let depth = 0; depth <= VLAN_DEPTH_MAX; depth += 1) {
    if (at + 2 > bytes.length) return 'malformed';
    const type = uint16(bytes, at);
    if (!VLAN_TAGS.includes(type)) return ofType(type, at + 2);
    at += 4;
  }
  return 'malformed';
}

/** The version in the first four bits tells, so the address family's number need not. */
function rawPayload(bytes: Uint8Array, from: number): LinkPayload {
  const version = (bytes[from] ?? 0) >> 4;
  if (version === 4) return { from, etherType: IPV4 };
  return version === 6 ? { from, etherType: IPV6 } : 'not-ip';
}

function ofType(etherType: number, from: number): LinkPayload {
  return etherType === IPV4 || etherType === IPV6 ? { from, etherType } : 'not-ip';
}

export function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function uint32(bytes: Uint8Array, at: number): number {
  return ((uint16(bytes, at) << 16) | uint16(bytes, at + 2)) >>> 0;
}
