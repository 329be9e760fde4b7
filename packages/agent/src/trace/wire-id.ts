import type { Exchange } from '../flow/exchange.ts';

const lanes = new Uint32Array(2);
const joined = new BigUint64Array(lanes.buffer);

/**
 * Identity of an exchange that client, server and every NIC compute alike: a hash of the TCP
 * sequence numbers of the request's and of the response's first byte. Both start at random and NAT
 * keeps them. Where no response was seen, `responseSequence` is where it would begin, 0 if that is not
 * known.
 *
 * A four-round Feistel network: a bijection of the 64 bits, so two exchanges share an id only if
 * they share both numbers. Never 0, which means "unknown" in a row.
 */
export function wireId(requestSequence: number, responseSequence: number): bigint {
  let left = requestSequence >>> 0;
  let right = responseSequence >>> 0;
  for (const key of ROUND_KEYS) {
    const mixed = left ^ scramble(right ^ key);
    left = right;
    right = mixed >>> 0;
  }
  lanes[0] = left;
  lanes[1] = right;
  const id = joined[0] ?? 0n;
  return id === 0n ? 1n : id;
}

/** One end may have left before the answer that the other end sent: where it would begin counts. */
export function wireIdOf({ request, response }: Exchange): bigint {
  return wireId(request?.sequence ?? 0, response?.sequence ?? request?.answerSequence ?? 0);
}

// Digits of pi: nothing up the sleeve.
const ROUND_KEYS = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];

/** The finaliser of MurmurHash3 (public domain): each input bit reaches each output bit. */
function scramble(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
