import { looksLikeFastcgi, looksLikePostgresql, looksLikeRedis } from '@thalweg/wire';
import type { ProtocolName } from './protocol.ts';
import type { Transfer } from './transfer.ts';

/**
 * The protocol whose requests begin with the bytes of `transfer`. Undefined where they say nothing
 * else than HTTP/1, which its decoder finds by itself. Ports are not looked at.
 */
export function recogniseRequest(transfer: Transfer): ProtocolName | undefined {
  const { bytes, bytesAt, captured, length } = transfer;
  const end = bytesAt + Math.min(captured, length);
  if (looksLikeRedis(bytes, bytesAt, end)) return 'redis';
  if (looksLikeFastcgi(bytes, bytesAt, end)) return 'fastcgi';
  if (looksLikePostgresql(bytes, bytesAt, end, length)) return 'postgresql';
  return undefined;
}
