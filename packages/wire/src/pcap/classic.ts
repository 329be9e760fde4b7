import { type CaptureError, PACKET_BYTES_MAX, type PacketSink } from './packet.ts';

const HEADER_BYTES = 24;

interface Format {
  /** Nanoseconds of one unit of the second time field. */
  readonly unitNs: bigint;
  readonly recordBytes: number;
}

/** By magic number, in either byte order. The last, of patched libpcaps, has longer records. */
const FORMATS = new Map<number, Format>([
  [0xa1b2c3d4, { unitNs: 1000n, recordBytes: 16 }],
  [0xa1b23c4d, { unitNs: 1n, recordBytes: 16 }],
  [0xa1b2cd34, { unitNs: 1000n, recordBytes: 24 }],
]);

export function isClassicPcap(bytes: Uint8Array): boolean {
  return orderOf(bytes) !== undefined;
}

function orderOf(bytes: Uint8Array): (Format & { isLittle: boolean }) | undefined {
  if (bytes.length < 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
  for (const isLittle of [true, false]) {
    const format = FORMATS.get(view.getUint32(0, isLittle));
    if (format !== undefined) return { isLittle, ...format };
  }
  return undefined;
}

/** Reads a pcap file. Source: draft-ietf-opsawg-pcap. */
export function readClassicPcap(bytes: Uint8Array, sink: PacketSink): CaptureError | undefined {
  const order = orderOf(bytes);
  if (order === undefined) return { code: 'not-a-capture', message: 'no pcap magic number' };
  if (bytes.length < HEADER_BYTES) {
    return { code: 'truncated', message: `the file header has ${bytes.length} of 24 bytes` };
  }
  const { isLittle, unitNs, recordBytes } = order;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The upper bits say whether frames end with a checksum.
  const linkType = view.getUint32(20, isLittle) & 0xffff;
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    if (at + recordBytes > bytes.length) return truncated('a record header', at);
    const seconds = view.getUint32(at, isLittle);
    const fraction = view.getUint32(at + 4, isLittle);
    const length = view.getUint32(at + 8, isLittle);
    const wireLength = view.getUint32(at + 12, isLittle);
    if (length > PACKET_BYTES_MAX) {
      return {
        code: 'bad-length',
        message: `the record at byte ${at} says ${length} bytes, the most is ${PACKET_BYTES_MAX}`,
      };
    }
    const from = at + recordBytes;
    if (from + length > bytes.length) return truncated('a record', at);
    sink({
      atNs: BigInt(seconds) * 1_000_000_000n + BigInt(fraction) * unitNs,
      linkType,
      bytes: bytes.subarray(from, from + length),
      wireLength,
    });
    at = from + length;
  }
  return undefined;
}

function truncated(what: string, at: number): CaptureError {
  return { code: 'truncated', message: `the file ends inside ${what} that begins at byte ${at}` };
}
