import { type CaptureError, PACKET_BYTES_MAX, type PacketSink } from './packet.ts';

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
const OPTION_END = 0;
const OPTION_TIME_RESOLUTION = 9;
const OPTION_TIME_OFFSET = 14;
const INTERFACES_MAX = 4096;
/** Larger blocks are garbage: a packet and its options fit many times. */
const BLOCK_BYTES_MAX = 16 * 1024 * 1024;

interface Interface {
  readonly linkType: number;
  readonly snapLength: number;
  /** Nanoseconds since the epoch of a count of this interface's units. */
  readonly toNs: (units: bigint) => bigint;
}

interface Section {
  readonly view: DataView;
  isLittle: boolean;
  interfaces: Interface[];
  lastNs: bigint;
}

export function isPcapng(bytes: Uint8Array): boolean {
  // The section header's type reads the same in both byte orders.
  return bytes[0] === 0x0a && bytes[1] === 0x0d && bytes[2] === 0x0d && bytes[3] === 0x0a;
}

/** Reads a pcapng file with any number of sections. Source: draft-ietf-opsawg-pcapng. */
export function readPcapng(bytes: Uint8Array, sink: PacketSink): CaptureError | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const section: Section = { view, isLittle: true, interfaces: [], lastNs: 0n };
  let at = 0;
  while (at < bytes.length) {
    if (at + 12 > bytes.length) return truncated(at);
    const type = view.getUint32(at, section.isLittle);
    if (type === SECTION_HEADER) {
      const order = byteOrder(view, at);
      if (order === undefined) {
        return { code: 'bad-section', message: `no byte-order magic in the section at byte ${at}` };
      }
      section.isLittle = order === 'little';
      section.interfaces = [];
    }
    const length = view.getUint32(at + 4, section.isLittle);
    if (length < 12 || length % 4 !== 0 || length > BLOCK_BYTES_MAX) {
      return {
        code: 'bad-length',
        message: `the block at byte ${at} says ${length} bytes; 12 to ${BLOCK_BYTES_MAX} are valid`,
      };
    }
    if (at + length > bytes.length) return truncated(at);
    const error = readBlock(section, bytes, type, at, at + length - 4, sink);
    if (error !== undefined) return error;
    at += length;
  }
  return undefined;
}

function byteOrder(view: DataView, at: number): 'little' | 'big' | undefined {
  if (view.getUint32(at + 8, true) === BYTE_ORDER) return 'little';
  return view.getUint32(at + 8, false) === BYTE_ORDER ? 'big' : undefined;
}

function readBlock(
  section: Section,
  bytes: Uint8Array,
  type: number,
  at: number,
  end: number,
  sink: PacketSink,
): CaptureError | undefined {
  if (type === INTERFACE) return readInterface(section, at, end);
  if (type === ENHANCED_PACKET) return readEnhanced(section, bytes, at, end, sink);
  if (type === SIMPLE_PACKET) return readSimple(section, bytes, at, end, sink);
  return undefined;
}

function readInterface(section: Section, at: number, end: number): CaptureError | undefined {
  const { view, isLittle, interfaces } = section;
  if (end - at < 16) return shortBlock(at);
  if (interfaces.length >= INTERFACES_MAX) {
    return {
      code: 'too-many-interfaces',
      message: `a section has more than ${INTERFACES_MAX} interfaces`,
    };
  }
  let unitsPerSecond = 1_000_000n;
  let offsetNs = 0n;
  let option = at + 16;
  while (option + 4 <= end) {
    const code = view.getUint16(option, isLittle);
    const length = view.getUint16(option + 2, isLittle);
    if (code === OPTION_END || option + 4 + length > end) break;
    if (code === OPTION_TIME_RESOLUTION && length >= 1) {
      // The upper bit chooses between a power of two and a power of ten.
      const resolution = view.getUint8(option + 4);
      const exponent = BigInt(resolution & 0x7f);
      unitsPerSecond = (resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent;
    } else if (code === OPTION_TIME_OFFSET && length >= 8) {
      offsetNs = view.getBigInt64(option + 4, isLittle) * 1_000_000_000n;
    }
    option += 4 + length + ((4 - (length % 4)) % 4);
  }
  interfaces.push({
    linkType: view.getUint16(at + 8, isLittle),
    snapLength: view.getUint32(at + 12, isLittle),
    toNs: (units) => (units * 1_000_000_000n) / unitsPerSecond + offsetNs,
  });
  return undefined;
}

function readEnhanced(
  section: Section,
  bytes: Uint8Array,
  at: number,
  end: number,
  sink: PacketSink,
): CaptureError | undefined {
  const { view, isLittle, interfaces } = section;
  if (end - at < 28) return shortBlock(at);
  const from = interfaces[view.getUint32(at + 8, isLittle)];
  if (from === undefined) return { code: 'bad-section', message: noInterface(at) };
  const high = BigInt(view.getUint32(at + 12, isLittle));
  const low = BigInt(view.getUint32(at + 16, isLittle));
  const length = view.getUint32(at + 20, isLittle);
  if (length > PACKET_BYTES_MAX || at + 28 + length > end) return shortBlock(at);
  section.lastNs = from.toNs((high << 32n) | low);
  sink({
    atNs: section.lastNs,
    linkType: from.linkType,
    bytes: bytes.subarray(at + 28, at + 28 + length),
    wireLength: view.getUint32(at + 24, isLittle),
  });
  return undefined;
}

/** Has no time of its own: takes the time of the packet before it. */
function readSimple(
  section: Section,
  bytes: Uint8Array,
  at: number,
  end: number,
  sink: PacketSink,
): CaptureError | undefined {
  const from = section.interfaces[0];
  if (from === undefined) return { code: 'bad-section', message: noInterface(at) };
  if (end - at < 12) return shortBlock(at);
  const wireLength = section.view.getUint32(at + 8, section.isLittle);
  const limit = from.snapLength === 0 ? wireLength : Math.min(wireLength, from.snapLength);
  const length = Math.min(limit, end - at - 12);
  sink({
    atNs: section.lastNs,
    linkType: from.linkType,
    bytes: bytes.subarray(at + 12, at + 12 + length),
    wireLength,
  });
  return undefined;
}

function noInterface(at: number): string {
  return `the packet at byte ${at} names an interface that was not described`;
}

function shortBlock(at: number): CaptureError {
  return { code: 'bad-length', message: `the block at byte ${at} is too short for its content` };
}

function truncated(at: number): CaptureError {
  return { code: 'truncated', message: `the file ends inside the block that begins at byte ${at}` };
}
