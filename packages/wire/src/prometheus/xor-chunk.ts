/** A chunk of float samples as Prometheus stores and streams it: encoding 1, "XOR". */
export interface XorChunk {
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** As Prometheus cuts them. */
export const CHUNK_SAMPLES = 120;

interface BitWriter {
  /** The low `count` bits of `value`, at most 32. */
  bits(value: number, count: number): void;
  finish(): Uint8Array<ArrayBuffer>;
}

/**
 * Encodes samples `from` to `to` (exclusive; 1 to 65,535 of them) of ascending times. `halves` are
 * the values' bits, low half first, so that a stale marker stays one.
 * Source: Prometheus, tsdb/docs/format/chunks.md and tsdb/chunkenc/xor.go (the format only).
 */
export function encodeXorChunk(
  times: Float64Array,
  halves: Uint32Array,
  from: number,
  to: number,
): XorChunk {
  const writer = createBitWriter((to - from) * 4 + 32);
  writer.bits(to - from, 16);
  const startMs = times[from] ?? 0;
  let lastMs = startMs;
  let lastDelta = 0;
  const window: XorWindow = { low: 0, high: 0, leading: -1, trailing: 0 };
  for (let i = from; i < to; i += 1) {
    const timeMs = times[i] ?? 0;
    const delta = timeMs - lastMs;
    const [low, high] = [halves[2 * i] ?? 0, halves[2 * i + 1] ?? 0];
    if (i === from) {
      writeVarint(writer, timeMs < 0 ? -2 * timeMs - 1 : 2 * timeMs);
      writer.bits(high, 32);
      writer.bits(low, 32);
      window.low = low;
      window.high = high;
    } else {
      if (i === from + 1) writeVarint(writer, delta);
      else writeDeltaOfDelta(writer, delta - lastDelta);
      writeXor(writer, window, low, high);
    }
    lastDelta = delta;
    lastMs = timeMs;
  }
  return { startMs, endMs: lastMs, bytes: writer.finish() };
}

function writeVarint(writer: BitWriter, value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    writer.bits((rest % 128) | 0x80, 8);
    rest = Math.floor(rest / 128);
  }
  writer.bits(rest, 8);
}

/** A prefix says how many bits follow: 0, 14, 17, 20 or 64. */
function writeDeltaOfDelta(writer: BitWriter, value: number): void {
  if (value === 0) writer.bits(0, 1);
  else if (value >= -8_191 && value <= 8_192) {
    writer.bits(0b10, 2);
    writer.bits(value, 14);
  } else if (value >= -65_535 && value <= 65_536) {
    writer.bits(0b110, 3);
    writer.bits(value, 17);
  } else if (value >= -524_287 && value <= 524_288) {
    writer.bits(0b1110, 4);
    writer.bits(value, 20);
  } else {
    writer.bits(0b1111, 4);
    writer.bits(Math.floor(value / 2 ** 32), 32);
    writer.bits(value % 2 ** 32, 32);
  }
}

/** The value before, and which of its bits the last difference took. */
interface XorWindow {
  low: number;
  high: number;
  leading: number;
  trailing: number;
}

function writeXor(writer: BitWriter, window: XorWindow, low: number, high: number): void {
  const xorLow = (low ^ window.low) >>> 0;
  const xorHigh = (high ^ window.high) >>> 0;
  window.low = low;
  window.high = high;
  if (xorLow === 0 && xorHigh === 0) {
    writer.bits(0, 1);
    return;
  }
  // Five bits hold the count of leading zeros.
  const leading = Math.min(31, xorHigh === 0 ? 32 + Math.clz32(xorLow) : Math.clz32(xorHigh));
  const trailing = xorLow === 0 ? 32 + trailingZeros(xorHigh) : trailingZeros(xorLow);
  if (window.leading >= 0 && leading >= window.leading && trailing >= window.trailing) {
    writer.bits(0b10, 2);
  } else {
    window.leading = leading;
    window.trailing = trailing;
    writer.bits(0b11, 2);
    writer.bits(leading, 5);
    // 64 does not fit in six bits and is written as 0.
    writer.bits(64 - leading - trailing, 6);
  }
  const count = 64 - window.leading - window.trailing;
  const shift = window.trailing;
  const shiftedLow =
    shift === 0
      ? xorLow
      : shift < 32
        ? (xorLow >>> shift) | (xorHigh << (32 - shift))
        : xorHigh >>> (shift - 32);
  const shiftedHigh = shift < 32 ? xorHigh >>> shift : 0;
  if (count > 32) writer.bits(shiftedHigh, count - 32);
  writer.bits(shiftedLow, Math.min(32, count));
}

function trailingZeros(value: number): number {
  return 31 - Math.clz32(value & -value);
}

function createBitWriter(capacity: number): BitWriter {
  let bytes = new Uint8Array(capacity);
  let at = 0;
  /** Bits free in the byte at `at`. */
  let free = 8;

  return {
    bits: (value, count) => {
      let rest = count;
      if (at + 6 > bytes.length) {
        const larger = new Uint8Array(2 * bytes.length);
        larger.set(bytes);
        bytes = larger;
      }
      while (rest > 0) {
        const take = Math.min(free, rest);
        const part = (value >>> (rest - take)) & ((1 << take) - 1);
        bytes[at] = (bytes[at] ?? 0) | (part << (free - take));
        rest -= take;
        free -= take;
        if (free === 0) {
          at += 1;
          free = 8;
        }
      }
    },
    finish: () => bytes.slice(0, free === 8 ? at : at + 1),
  };
}
