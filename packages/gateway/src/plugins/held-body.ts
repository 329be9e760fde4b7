import { decodedBody } from './decoded-body.ts';

/** The body of one answer that is held until it is whole, as some filters need it. */
export interface HeldBody {
  /** What is past the most that is held is left out. */
  add(bytes: Buffer): void;
  /** All of it, without its Content-Encoding. */
  decoded(): Buffer;
}

export function createHeldBody(encoding: string | undefined, bytesMax: number): HeldBody {
  const held: Buffer[] = [];
  let heldBytes = 0;
  return {
    add(bytes) {
      const taken = bytes.subarray(0, Math.max(0, bytesMax - heldBytes));
      if (taken.length === 0) return;
      held.push(taken);
      heldBytes += taken.length;
    },
    decoded: () => decodedBody(Buffer.concat(held), encoding, bytesMax),
  };
}
