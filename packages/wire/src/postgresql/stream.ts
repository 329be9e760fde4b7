import { createPending, type Pending } from '../pending.ts';
import { PHASE_FIRST } from '../stream-decoder.ts';

/** Waiting for a tag and a length, or inside them. */
export const PHASE_HEADER = PHASE_FIRST;
export const PHASE_PAYLOAD = 1;

/** One direction of one PostgreSQL connection. Owned by its creator, changed by the decoder only. */
export interface PostgresqlStream {
  /** Requests pass here, not answers. */
  readonly isAsking: boolean;
  phase: number;
  /** Of what is open or has just ended: bytes on the wire, and how many were seen. */
  size: number;
  captured: number;
  bodySize: number;
  /** A request or an answer is open: several messages of the protocol. */
  isOpen: boolean;
  /** What is open was told of. */
  isTold: boolean;
  /** Tag of the message, 0 for one of the start-up, and its payload still to come. */
  tag: number;
  remaining: number;
  /** An unfinished header, or what is kept of the payload. */
  readonly pending: Pending;
  /** Of the open request: tag that names it, and its SQL. */
  type: string;
  sql: string;
  domain: string;
  /** Of the open answer. */
  result: string;
  error: string;
  code: string;
  /** SQL of named prepared statements, without literals. The oldest goes when there are too many. */
  readonly statements: Map<string, string>;
}

export function createPostgresqlStream(isAsking: boolean): PostgresqlStream {
  return {
    isAsking,
    phase: PHASE_HEADER,
    size: 0,
    captured: 0,
    bodySize: 0,
    isOpen: false,
    isTold: false,
    tag: 0,
    remaining: 0,
    pending: createPending(),
    type: '',
    sql: '',
    domain: '',
    result: '',
    error: '',
    code: '',
    statements: new Map(),
  };
}
