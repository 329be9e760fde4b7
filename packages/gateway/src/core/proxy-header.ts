import { isIP } from 'node:net';

/** The ends of a connection as the proxy before us has seen them. */
export interface ProxiedEnds {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export type ProxyHeader =
  /** `ends` is undefined where the proxy speaks for itself (LOCAL, UNKNOWN). `size` in octets. */
  | { readonly kind: 'header'; readonly size: number; readonly ends: ProxiedEnds | undefined }
  | { readonly kind: 'need-more' }
  | { readonly kind: 'invalid' };

const NEED_MORE = { kind: 'need-more' } as const;
const INVALID = { kind: 'invalid' } as const;
/** A line of version 1 with its CR LF. */
const LINE_BYTES_MAX = 107;
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_HEAD_BYTES = 16;
/** Addresses and their extensions of version 2; longer ones are noise. */
const V2_REST_BYTES_MAX = 4_096;

/**
 * The header at the start of `bytes`, version 1 or 2. Never throws, keeps no view.
 * Source: The PROXY protocol, HAProxy, §2.1 and §2.2.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes.length === 0) return NEED_MORE;
  if (bytes[0] === SIGNATURE[0]) return parseBinary(bytes);
  return parseLine(bytes);
}

/** The header that tells a node of a client, as nginx writes it: version 1. */
export function proxyHeaderOf({ address, port, localAddress, localPort }: ProxiedEnds): string {
  const version = isIP(address);
  if (version === 0 || isIP(localAddress) !== version) return 'PROXY UNKNOWN\r\n';
  return `PROXY TCP${version} ${address} ${localAddress} ${port} ${localPort}\r\n`;
}

function parseLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, LINE_BYTES_MAX).indexOf('\r\n');
  if (end < 0) {
    const isStart = 'PROXY '.startsWith(bytes.toString('latin1', 0, Math.min(6, bytes.length)));
    return isStart && bytes.length < LINE_BYTES_MAX ? NEED_MORE : INVALID;
  }
  const size = end + 2;
  const words = bytes.toString('latin1', 0, end).split(' ');
  const [name, family, address = '', localAddress = '', port = '', localPort = ''] = words;
  if (name !== 'PROXY') return INVALID;
  if (family === 'UNKNOWN') return { kind: 'header', size, ends: undefined };
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : undefined;
  const isWhole = words.length === 6 && isPort(port) && isPort(localPort);
  if (!isWhole || isIP(address) !== version || isIP(localAddress) !== version) return INVALID;
  const ends = { address, localAddress, port: Number(port), localPort: Number(localPort) };
  return { kind: 'header', size, ends };
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function parseBinary(bytes: Buffer): ProxyHeader {
  const known = Math.min(bytes.length, SIGNATURE.length);
  if (!bytes.subarray(0, known).equals(SIGNATURE.subarray(0, known))) return INVALID;
  if (bytes.length < V2_HEAD_BYTES) return NEED_MORE;
  const [version = 0, family = 0] = bytes.subarray(12, 14);
  const size = V2_HEAD_BYTES + bytes.readUInt16BE(14);
  const command = version & 15;
  if (version >> 4 !== 2 || command > 1 || size > V2_HEAD_BYTES + V2_REST_BYTES_MAX) return INVALID;
  if (bytes.length < size) return NEED_MORE;
  const rest = bytes.subarray(V2_HEAD_BYTES, size);
  // TCP over IPv4 and IPv6; whatever else is no address of ours.
  const width = family === 0x11 ? 4 : family === 0x21 ? 16 : undefined;
  if (command === 0 || width === undefined) return { kind: 'header', size, ends: undefined };
  if (rest.length < width * 2 + 4) return INVALID;
  const ends = {
    address: addressOf(rest.subarray(0, width)),
    localAddress: addressOf(rest.subarray(width, width * 2)),
    port: rest.readUInt16BE(width * 2),
    localPort: rest.readUInt16BE(width * 2 + 2),
  };
  return { kind: 'header', size, ends };
}

function addressOf(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  // The URL parser writes IPv6 in its shortest form (RFC 5952).
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
