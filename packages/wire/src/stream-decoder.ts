/** Decodes directions of connections of one protocol: bounded, sans-I/O, never throws. */
export interface StreamDecoder<Stream> {
  /** Takes `bytes[from, to)`, the next of the stream; nothing is kept of `bytes` itself. */
  push(stream: Stream, bytes: Uint8Array, from: number, to: number): void;
  /** `count` bytes passed whose content is not known. */
  gap(stream: Stream, count: number): void;
  /** The other side spoke since this stream's last byte: where a lost place is found again. */
  turn(stream: Stream): void;
  /** No more bytes come. */
  close(stream: Stream): void;
  /** The place is lost, as after a gap of unknown length. */
  lose(stream: Stream): void;
}

/** Where a message or a part of it begins. What is between this and the next two is each protocol's. */
export const PHASE_FIRST = 0;
/** The end of the message fell into a gap: it lasts until the other side speaks. */
export const PHASE_UNTIL_TURN = 2;
/** Not the protocol, or the place is lost: waits for the next turn. */
export const PHASE_LOST = 3;

/** How messages end from outside: `settle` ends what is open, `finish` what is open until a turn. */
export function outerEnds<Stream extends { phase: number }>(
  finish: (stream: Stream) => void,
  settle: (stream: Stream) => void,
): Pick<StreamDecoder<Stream>, 'turn' | 'close' | 'lose'> {
  return {
    turn(stream) {
      if (stream.phase === PHASE_UNTIL_TURN) finish(stream);
      else if (stream.phase === PHASE_LOST) stream.phase = PHASE_FIRST;
    },
    close: settle,
    lose(stream) {
      settle(stream);
      stream.phase = PHASE_LOST;
    },
  };
}
