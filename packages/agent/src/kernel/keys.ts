// Keys of kernel maps, in the machine's byte order (little endian on x86-64).

export function key16(value: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(value).buffer);
}

export function key32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

export function key64(value: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}
