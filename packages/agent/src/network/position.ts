import type { ObservationPoint } from '@thalweg/model';

/** What is known of the ends of a connection where it was seen. */
export interface Position {
  /** Whether the address is one of the interface's own network namespace. */
  readonly isClientInside: boolean;
  readonly isServerInside: boolean;
  /** Whether the address is one of any network namespace of this machine. */
  readonly isClientNear: boolean;
  readonly isServerNear: boolean;
  /** The request came in through the interface. */
  readonly isRequestIngress: boolean;
}

/**
 * Names the place of an interface between client and server: `c` and `s` are the interfaces of the
 * two themselves, `c-nd` and `s-nd` those of the machine (node) that they live on. Where both live on
 * one machine, the side on which the request comes in is the client's. `rest`: neither is known here.
 */
export function positionOf(position: Position): ObservationPoint {
  const { isClientInside, isServerInside, isClientNear, isServerNear } = position;
  if (isClientInside && isServerInside) return 'local';
  if (isClientInside) return 'c';
  if (isServerInside) return 's';
  if (isClientNear && isServerNear) return position.isRequestIngress ? 'c-nd' : 's-nd';
  if (isClientNear) return 'c-nd';
  return isServerNear ? 's-nd' : 'rest';
}
