import type { Socket } from 'node:net';
import type { RequestContext } from '../core/request-context.ts';
import { EMPTY } from '../core/sockets/connection.ts';

/**
 * Shows what the client has sent so far until `look` answers something; the octets stay to be passed
 * on. Undefined when the client leaves, ends or takes too long, or it was too much.
 */
export type FirstOctets = <Found>(
  look: (bytes: Buffer) => Found | undefined,
) => Promise<Found | undefined>;

const OCTETS_MAX = 65_536;
const SLOT = Symbol('first octets');

/** Undefined where there are none to be looked at: requests and datagrams. */
export function firstOctetsOf(context: RequestContext): FirstOctets | undefined {
  return context.slot<FirstOctets>(SLOT);
}

export function offerFirstOctets(context: RequestContext, first: FirstOctets): void {
  context.setSlot(SLOT, first);
}

/** Of a client whose socket is paused, and is so again afterwards. */
export function createFirstOctets(client: Socket, timeoutMs: number): FirstOctets {
  return (look) =>
    new Promise((resolve) => {
      let first: Buffer = EMPTY;
      const finish = (found: ReturnType<typeof look>): void => {
        clearTimeout(timer);
        client.off('data', take);
        client.off('end', leave);
        client.off('close', leave);
        client.pause();
        if (found !== undefined) client.unshift(first);
        resolve(found);
      };
      const leave = (): void => finish(undefined);
      const timer = setTimeout(leave, timeoutMs);
      const take = (bytes: Buffer): void => {
        first = Buffer.concat([first, bytes]);
        const found = look(first);
        if (found !== undefined || first.length > OCTETS_MAX) finish(found);
      };
      client.on('data', take);
      client.on('end', leave);
      client.on('close', leave);
      client.resume();
    });
}
