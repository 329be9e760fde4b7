/** Bytes of an unfinished piece, copied out of what was pushed. Holds no memory while empty. */
export interface Pending {
  bytes: Uint8Array;
  length: number;
}

const EMPTY: Uint8Array = new Uint8Array(0);

export function createPending(): Pending {
  return { bytes: EMPTY, length: 0 };
}

/** Adds `bytes[from, to)` as far as `max` bytes in all allow. Answers how many were taken. */
export function addPending(
  to: Pending,
  bytes: Uint8Array,
  range: { readonly from: number; readonly to: number },
  max: number,
): number {
  const taken = Math.max(0, Math.min(range.to - range.from, max - to.length));
  const needed = to.length + taken;
  if (needed > to.bytes.length) {
    const grown = new Uint8Array(Math.min(max, Math.max(64, needed * 2)));
    grown.set(to.bytes.subarray(0, to.length));
    to.bytes = grown;
  }
  to.bytes.set(bytes.subarray(range.from, range.from + taken), to.length);
  to.length = needed;
  return taken;
}

export function clearPending(of: Pending): void {
  of.bytes = EMPTY;
  of.length = 0;
}
