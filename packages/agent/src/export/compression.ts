import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { BatchEncoding } from './spool.ts';

export const COMPRESSIONS = ['auto', 'gzip', 'none'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/**
 * With `auto`, batches for this very machine go as they are: gzip took a fifth of the agent's CPU to
 * save bytes that no network carries. When so many wait, the server is away, and the spool's room
 * counts more.
 */
const WAITING_MAX = 8;
const compress = promisify(gzip);

/** Prepares batches for the spool; `waiting` is how many are there. */
export function createCompressor(
  compression: Compression,
  serverUrl: string,
): (bytes: Uint8Array, waiting: number) => Promise<[Uint8Array, BatchEncoding]> {
  const isNear = isLoopback(new URL(serverUrl).hostname);
  return async (bytes, waiting) => {
    const isPlain =
      compression === 'auto' ? isNear && waiting < WAITING_MAX : compression === 'none';
    if (isPlain) return [bytes, 'identity'];
    return [await compress(bytes, { level: 1 }), 'gzip'];
  };
}

/** A name is looked at as it is written: only `localhost` is known to be here. Source: RFC 6761. */
function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}
