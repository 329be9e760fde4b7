import type { DecodedList } from '@thalweg/wire';
import type { Written } from './buffer/telemetry-buffer.ts';
import type { Fault } from './door/receiver.ts';

/** What became of a request that carried a list. */
export interface Taken {
  readonly rows: number;
  readonly rejected: number;
  /** The first item that was not kept, and why; empty when all were. */
  readonly firstRefusal: string;
}

/** `noun` names an item: `span 3: traceId is missing`. */
export function takenOf(list: DecodedList<unknown>, rows: number, noun: string): Taken {
  const { refused, firstRefusal } = list;
  const first =
    firstRefusal === undefined ? '' : `${noun} ${firstRefusal.at}: ${firstRefusal.reason}`;
  return { rows, rejected: refused, firstRefusal: first };
}

/** Nothing of the list was understood: the request as a whole is wrong. */
export function emptyFault({ rows, rejected, firstRefusal }: Taken): Fault | undefined {
  if (rows > 0 || rejected === 0) return undefined;
  return { status: 400, code: 'nothing_understood', message: firstRefusal };
}

/** Why a write did not end on disk; undefined when it did. */
export function writtenFault(written: Written): Fault | undefined {
  switch (written.status) {
    case 'kept':
      return undefined;
    case 'malformed':
      return { status: 400, code: 'malformed', message: written.reason };
    case 'busy': {
      const { retryAfterS } = written;
      return { status: 503, code: 'busy', message: 'the disk or the store is behind', retryAfterS };
    }
    case 'refused':
      return { status: 500, code: written.code, message: written.message };
  }
}

/** JSON that says what was kept: more than the senders' protocols ask for, and ignored by them. */
export function takenBody({ rows, rejected, firstRefusal }: Taken): string {
  const refused = rejected === 0 ? {} : { refused: rejected, first_refusal: firstRefusal };
  return `${JSON.stringify({ kept: rows, ...refused })}\n`;
}
