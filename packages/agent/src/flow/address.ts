/** Source: bpf/unix.h. */
const UNIX_PATH_MAX = 32;

/** The path of a unix-domain socket: at most 32 bytes from `at`, zero-terminated. */
export function formatPath(bytes: Uint8Array, at: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, UNIX_PATH_MAX);
  const end = text.indexOf(0);
  return text.toString('utf8', 0, end < 0 ? UNIX_PATH_MAX : end);
}

/** Text of an address in 16 bytes, IPv4 in the first four; a mapped IPv4 address as IPv4. */
export function formatAddress(bytes: Uint8Array, at: number, ipVersion: number): string {
  if (ipVersion === 4) return formatIpv4(bytes, at);
  if (isMapped(bytes, at)) return formatIpv4(bytes, at + 12);
  return formatIpv6(bytes, at);
}

function formatIpv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** `::ffff:0:0/96`: an IPv4 peer of a dual-stack socket. */
function isMapped(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 10; i += 1) if (bytes[at + i] !== 0) return false;
  return bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
}

/** Source: RFC 5952: lower case, the first longest run of at least two zero groups as `::`. */
function formatIpv6(bytes: Uint8Array, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) {
    groups.push(((bytes[at + i] ?? 0) << 8) | (bytes[at + i + 1] ?? 0));
  }
  let bestFrom = -1;
  let bestLength = 1;
  for (let from = 0; from < 8; from += 1) {
    let length = 0;
    while (from + length < 8 && groups[from + length] === 0) length += 1;
    if (length > bestLength) {
      bestFrom = from;
      bestLength = length;
    }
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return bestFrom < 0 ? hex(0, 8) : `${hex(0, bestFrom)}::${hex(bestFrom + bestLength, 8)}`;
}
