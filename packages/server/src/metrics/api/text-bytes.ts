/**
 * A text in the making, as bytes of UTF-8. Answers of many numbers are written so: as strings, a
 * point of a matrix costs twice the time that its number takes to be printed.
 */
export interface TextBytes {
  text(text: string): void;
  /** Shorter and faster than `text`, for characters below U+0080 alone. */
  ascii(text: string): void;
  /** Seconds with the milliseconds that they have. */
  time(timeMs: number): void;
  /** What was written: a view, and the end of the writing. */
  finish(): Buffer;
}

/** Whole milliseconds below it have at most ten digits of seconds. */
const PLAIN_MS_MAX = 1e13;
const NUMBER_BYTES = 32;
const BYTES_MIN = 1_024;
const ZERO = 48;
const POINT = 46;

/** `bytes`: about as many as it will be. */
export function openTextBytes(bytes: number): TextBytes {
  let buffer = Buffer.allocUnsafe(Math.max(bytes, BYTES_MIN));
  let at = 0;

  function reserve(more: number): void {
    if (at + more <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * buffer.length, at + more));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
  }

  function ascii(text: string): void {
    const { length } = text;
    reserve(length);
    for (let i = 0; i < length; i += 1) buffer[at + i] = text.charCodeAt(i);
    at += length;
  }

  function digits(number: number, count: number): void {
    let rest = number;
    for (let place = at + count - 1; place >= at; place -= 1) {
      const tenth = Math.floor(rest / 10);
      buffer[place] = ZERO + rest - 10 * tenth;
      rest = tenth;
    }
    at += count;
  }

  function time(timeMs: number): void {
    const wholeMs = Math.round(timeMs);
    if (!(wholeMs >= 0 && wholeMs < PLAIN_MS_MAX)) {
      ascii(String(wholeMs / 1e3));
      return;
    }
    reserve(NUMBER_BYTES);
    const seconds = Math.floor(wholeMs / 1e3);
    const ms = wholeMs - 1e3 * seconds;
    digits(seconds, digitsOf(seconds));
    if (ms === 0) return;
    buffer[at] = POINT;
    at += 1;
    if (ms % 100 === 0) digits(ms / 100, 1);
    else if (ms % 10 === 0) digits(ms / 10, 2);
    else digits(ms, 3);
  }

  return {
    text: (text) => {
      // A UTF-16 code unit takes three bytes at the most.
      reserve(3 * text.length);
      at += buffer.write(text, at);
    },
    ascii,
    time,
    finish: () => buffer.subarray(0, at),
  };
}

function digitsOf(number: number): number {
  let count = 1;
  for (let limit = 10; number >= limit; limit *= 10) count += 1;
  return count;
}
