/** Reads what `encodeXorChunk` writes, slowly and by bigint: for tests only. */
export function decodeXorChunk(bytes: Uint8Array): { times: number[]; halves: number[] } {
  let at = 0;
  const bits = (count: number): bigint => {
    let value = 0n;
    for (let i = 0; i < count; i += 1, at += 1) {
      value = (value << 1n) | BigInt(((bytes[at >>> 3] ?? 0) >>> (7 - (at & 7))) & 1);
    }
    return value;
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bits(8);
      value |= (byte & 127n) << shift;
      if (byte < 128n) return value;
    }
  };
  const signed = (count: number): bigint => {
    const value = bits(count);
    return value > 1n << BigInt(count - 1) ? value - (1n << BigInt(count)) : value;
  };
  const count = Number(bits(16));
  const first = varint();
  let time = (first & 1n) === 0n ? first >> 1n : -(first >> 1n) - 1n;
  let value = bits(64);
  let [delta, leading, trailing] = [0n, 0, 0];
  const times = [Number(time)];
  const values = [value];
  for (let i = 1; i < count; i += 1) {
    if (i === 1) delta = varint();
    else if (bits(1) === 1n) {
      const width = bits(1) === 0n ? 14 : bits(1) === 0n ? 17 : bits(1) === 0n ? 20 : 64;
      delta += width === 64 ? BigInt.asIntN(64, bits(64)) : signed(width);
    }
    time += delta;
    if (bits(1) === 1n) {
      if (bits(1) === 1n) {
        leading = Number(bits(5));
        const size = Number(bits(6));
        trailing = 64 - leading - (size === 0 ? 64 : size);
      }
      value ^= bits(64 - leading - trailing) << BigInt(trailing);
    }
    times.push(Number(time));
    values.push(value);
  }
  const halves = values.flatMap((word) => [Number(word & 0xffffffffn), Number(word >> 32n)]);
  return { times, halves };
}
