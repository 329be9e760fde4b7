import { createPending, type Pending } from '../pending.ts';
import { PHASE_FIRST } from '../stream-decoder.ts';
import { HEADER_SIZE } from './record.ts';

/** In the header of a record. Also between two messages. */
export const PHASE_HEADER = PHASE_FIRST;
/** In its content or padding. */
export const PHASE_CONTENT = 1;

/** One direction of one FastCGI connection. Owned by its creator, changed by the decoder only. */
export interface FastcgiStream {
  /** A web server's records pass here, not an application's. */
  readonly isAsking: boolean;
  phase: number;
  /** Of the message that is open or has just ended: bytes on the wire, and how many were seen. */
  size: number;
  captured: number;
  /** Bytes of STDIN, or of STDOUT after its head. */
  bodySize: number;
  readonly header: Uint8Array;
  headerLength: number;
  /** Of the current record. */
  type: number;
  contentLeft: number;
  paddingLeft: number;
  /** A message has begun. */
  isOpen: boolean;
  /** Its head was told of. */
  isTold: boolean;
  /** Part of its head was not captured: what follows the gap is not read. */
  isCut: boolean;
  /** Content of PARAMS, or of STDOUT up to the end of its head. */
  readonly pending: Pending;
}

export function createFastcgiStream(isAsking: boolean): FastcgiStream {
  return {
    isAsking,
    phase: PHASE_HEADER,
    size: 0,
    captured: 0,
    bodySize: 0,
    header: new Uint8Array(HEADER_SIZE),
    headerLength: 0,
    type: 0,
    contentLeft: 0,
    paddingLeft: 0,
    isOpen: false,
    isTold: false,
    isCut: false,
    pending: createPending(),
  };
}
