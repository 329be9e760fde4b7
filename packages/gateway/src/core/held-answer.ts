import type { ResponseHead } from './http/head.ts';

/** An answer that waits for its end, since a plugin needs all of it before the head goes out. */
export interface HeldAnswer {
  readonly head: ResponseHead;
  /** False when there is more than may be held. */
  add(bytes: Buffer): boolean;
  body(): Buffer;
}

export function holdAnswer(head: ResponseHead, bytesMax: number): HeldAnswer {
  const pieces: Buffer[] = [];
  let heldBytes = 0;
  return {
    head,
    body: () => Buffer.concat(pieces),
    add(bytes) {
      heldBytes += bytes.length;
      if (heldBytes > bytesMax) return false;
      // The connection reads into the same memory again.
      pieces.push(Buffer.from(bytes));
      return true;
    },
  };
}
