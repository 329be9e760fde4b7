/** What an MQTT client says of itself first. */
export interface ConnectPacket {
  readonly protocolName: string;
  readonly protocolLevel: number;
  /** Empty: the server is to choose one. */
  readonly clientId: string;
}

const CONNECT = 0x10;
/** Octets of a length. Source: MQTT 5.0 §1.5.5. */
const VARINT_SIZE_MAX = 4;
const PACKET_SIZE_MAX = 65_536;

interface Place {
  at: number;
}

/**
 * Decodes the first packet in `bytes`. Source: MQTT 3.1.1 §3.1, MQTT 5.0 §3.1. `need-more` while it
 * may still become one; never throws.
 */
export function decodeConnect(bytes: Buffer): ConnectPacket | 'need-more' | 'invalid' {
  if (bytes.length < 2) return 'need-more';
  if (bytes[0] !== CONNECT) return 'invalid';
  const place: Place = { at: 1 };
  const length = readVarint(bytes, place);
  if (typeof length !== 'number') return length;
  if (length > PACKET_SIZE_MAX) return 'invalid';
  const end = place.at + length;
  if (bytes.length < end) return 'need-more';
  return readFields(bytes.subarray(0, end), place) ?? 'invalid';
}

function readFields(packet: Buffer, place: Place): ConnectPacket | undefined {
  const protocolName = readText(packet, place);
  const protocolLevel = packet[place.at];
  // Level, flags, keep-alive in two octets.
  place.at += 4;
  if (protocolName === undefined || protocolLevel === undefined) return undefined;
  if (protocolLevel >= 5) {
    const size = readVarint(packet, place);
    if (typeof size !== 'number') return undefined;
    place.at += size;
  }
  const clientId = readText(packet, place);
  return clientId === undefined ? undefined : { protocolName, protocolLevel, clientId };
}

function readText(packet: Buffer, place: Place): string | undefined {
  if (place.at + 2 > packet.length) return undefined;
  const start = place.at + 2;
  place.at = start + packet.readUInt16BE(place.at);
  return place.at > packet.length ? undefined : packet.toString('utf8', start, place.at);
}

function readVarint(bytes: Buffer, place: Place): number | 'need-more' | 'invalid' {
  let value = 0;
  for (let i = 0; i < VARINT_SIZE_MAX; i++) {
    const octet = bytes[place.at];
    if (octet === undefined) return 'need-more';
    place.at += 1;
    value += (octet & 0x7f) * 128 ** i;
    if (octet < 0x80) return value;
  }
  return 'invalid';
}
