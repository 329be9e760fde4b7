import type { Socket } from 'node:net';
import type { IpRanges } from '../core/match/ip-range.ts';
import { type ProxiedEnds, parseProxyHeader } from '../core/proxy-header.ts';
import type { Ends } from '../core/sockets/connection.ts';
import { createFirstOctets } from './first-octets.ts';

/** A proxy that stands before this port has so long to say for whom. */
const HEADER_MS = 60_000;

/**
 * Takes the header of the PROXY protocol off a client whose socket is paused. The client that it names
 * counts where `trusted` has the peer; the address that it came to stays the one of the socket, as in
 * nginx. Undefined: there is no such header, and the client is to be sent away.
 */
export async function takeProxyHeader(
  client: Socket,
  own: Ends,
  trusted: IpRanges | undefined,
): Promise<{ readonly ends: ProxiedEnds | undefined } | undefined> {
  const header = await createFirstOctets(
    client,
    HEADER_MS,
  )((bytes) => {
    const found = parseProxyHeader(bytes);
    return found.kind === 'need-more' ? undefined : found;
  });
  if (header?.kind !== 'header') return undefined;
  client.read(header.size);
  const { ends } = header;
  if (ends === undefined || trusted?.has(own.remoteAddress) !== true) return { ends: undefined };
  const { localAddress, localPort } = own;
  return { ends: { address: ends.address, port: ends.port, localAddress, localPort } };
}
