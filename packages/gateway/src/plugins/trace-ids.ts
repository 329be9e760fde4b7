import { randomFillSync } from 'node:crypto';

/** Random octets are made so many at once: one call to the kernel serves hundreds of ids. */
const POOL_BYTES = 4_096;
const pool = Buffer.alloc(POOL_BYTES);
let at = POOL_BYTES;

/** Random hexadecimal digits for an id of so many octets, never all zero. */
function randomId(byteCount: number): string {
  for (;;) {
    if (at + byteCount > POOL_BYTES) {
      randomFillSync(pool);
      at = 0;
    }
    const id = pool.toString('hex', at, at + byteCount);
    at += byteCount;
    if (!/^0+$/.test(id)) return id;
  }
}

export function newTraceId(): string {
  return randomId(16);
}

export function newSpanId(): string {
  return randomId(8);
}
