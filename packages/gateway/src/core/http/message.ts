import { HOP_BY_HOP, NOT_IN_TRAILERS } from './field-name.ts';
import type { HeaderFields } from './header-fields.ts';

/**
 * Field lines as text, without those of one connection, those of a kind in `without`, and those it lists.
 * Lines that stood one after the other go on as one text.
 */
export function fieldLines(
  { list }: HeaderFields,
  without: number,
  listed: readonly string[],
): string {
  const dropped = without | HOP_BY_HOP;
  let lines = '';
  let text = '';
  let start = 0;
  let end = 0;
  for (const field of list) {
    const { name } = field;
    if ((name.kinds & dropped) !== 0) continue;
    if (listed.length > 0 && listed.includes(name.key)) continue;
    if (field.start !== end || field.text !== text) {
      if (end > start) lines += text.slice(start, end);
      ({ text, start } = field);
    }
    ({ end } = field);
  }
  return end > start ? lines + text.slice(start, end) : lines;
}

/** Trailer fields that may be passed on, as text. */
export function trailerLines(trailers: HeaderFields | undefined): string {
  return trailers === undefined ? '' : fieldLines(trailers, NOT_IN_TRAILERS, []);
}

/** `Date`, made once a second: the same text serves every answer within it. */
export function createDateText(): (nowMs: number) => string {
  let second = -1;
  let text = '';
  return (nowMs) => {
    const now = Math.floor(nowMs / 1_000);
    if (now !== second) {
      second = now;
      text = new Date(nowMs).toUTCString();
    }
    return text;
  };
}
