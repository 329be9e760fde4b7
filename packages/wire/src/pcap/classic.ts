import { type CaptureError, PACKET_BYTES_MAX, type PacketSink } from './packet.ts';

const HEADER_BYTES = 24;
const RECORD_BYTES = 16;

/** Nanoseconds of one unit of the second time field, by magic number; either byte order. */
const UNIT_NS = new Map([
  [0xa1b2c3d4, 1000n],
  [0xa1b23c4d, 1n],
]);

export function isClassicPcap(bytes: Uint8Array): boolean {
  return orderOf(bytes) !== undefined;
}

function orderOf(bytes: Uint8Array): { isLittle: boolean; unitNs: bigint } | undefined {
  if (bytes.length < 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
  for (const isLittle of [true, false]) {
    const unitNs = UNIT_NS.get(view.getUint32(0, isLittle));
    if (unitNs !== undefined) return { isLittle, unitNs };
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
  const { isLittle, unitNs } = order;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The upper bits say whether frames end with a checksum.
  const linkType = view.getUint32(20, isLittle) & 0xffff;
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    if (at + RECORD_BYTES > bytes.length) return truncated('a record header', at);
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
    const from = at + RECORD_BYTES;
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
