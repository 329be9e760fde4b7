import { randomFillSync } from 'node:crypto';

/** Random octets are made so many at once: one call to the kernel serves hundreds of ids. */
const POOL_BYTES = 4_096;
const pool = Buffer.alloc(POOL_BYTES);
let at = POOL_BYTES;

/** An identifier as headers show it, and its octets as the characters of a text. */
export interface RandomId {
  readonly hex: string;
  readonly octets: string;
}

/** Random octets, never all zero. */
export function newRandomId(byteCount: number): RandomId {
  for (;;) {
    if (at + byteCount > POOL_BYTES) {
      randomFillSync(pool);
      at = 0;
    }
    const from = at;
    at += byteCount;
    if (!isZero(from, at)) {
      return { hex: pool.toString('hex', from, at), octets: pool.toString('latin1', from, at) };
    }
  }
}

export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;

export function newTraceId(): string {
  return newRandomId(TRACE_ID_BYTES).hex;
}

export function newSpanId(): string {
  return newRandomId(SPAN_ID_BYTES).hex;
}

function isZero(from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (pool[i] !== 0) return false;
  return true;
}
