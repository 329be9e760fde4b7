import type { DecodeText } from '../text.ts';
import type { Header, Http1Head } from './head.ts';
import { createHeaderList, headerHash } from './header-list.ts';
import {
  FRAMING_CONTENT_LENGTH,
  FRAMING_HOST,
  FRAMING_NONE,
  FRAMING_TRANSFER_ENCODING,
  type HeaderEntry,
  type HeaderTable,
  REDACTED,
} from './header-table.ts';
import type { KnownLine, KnownLines } from './known-lines.ts';
import { HEAD_INCOMPLETE, HEAD_INVALID, parseStartLine, TOKEN } from './start-line.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
/** Kept headers of one head; further ones are skipped, framing headers never are. */
const KEPT_MAX = 64;
/** A kept value's length; the rest is cut off. */
const VALUE_LENGTH_MAX = 4096;

export interface HeadParser {
  /**
   * Reads a head that begins at `from` into `head`. Answers the offset after its empty line,
   * `HEAD_INCOMPLETE` or `HEAD_INVALID`. With `isCut` it reads the complete lines before `to`.
   */
  parse(bytes: Uint8Array, from: number, to: number, isCut: boolean): number;
  readonly head: Http1Head;
}

export interface HeadParserOptions {
  readonly text: DecodeText;
  readonly linesMax: number;
  /** Parsers of one table may share them. */
  readonly knownLines: KnownLines;
}

export function createHeadParser(
  head: Http1Head,
  table: HeaderTable,
  { text, linesMax, knownLines }: HeadParserOptions,
): HeadParser {
  const list = createHeaderList();
  const read: KnownLine = { size: 0, entry: undefined, value: '', kept: undefined, hash: 0 };

  function parse(bytes: Uint8Array, from: number, to: number, isCut: boolean): number {
    let at = parseStartLine(bytes, from, to, isCut, text, head);
    if (at < 0) return at;
    head.isCut = isCut;
    head.contentLength = undefined;
    head.hasTransferEncoding = false;
    head.isChunked = false;
    head.isFramingBroken = false;
    head.hasMeant = false;
    list.begin();
    for (let lines = 0; lines <= linesMax; lines += 1) {
      const next = parseLine(bytes, at, to);
      if (next === HEAD_INCOMPLETE && !isCut) return HEAD_INCOMPLETE;
      if (next <= 0) {
        head.headers = list.end();
        return next === HEAD_INCOMPLETE ? to : -next;
      }
      at = next;
    }
    return HEAD_INVALID;
  }

  /** Answers the next line's offset, minus the body's offset after an empty line, or incomplete. */
  function parseLine(bytes: Uint8Array, at: number, to: number): number {
    const known = knownLines.find(bytes, at, to);
    if (known !== undefined) {
      if (known.entry !== undefined) mean(known.entry, known.value);
      if (known.kept !== undefined && list.length < KEPT_MAX) list.add(known.kept, known.hash);
      return at + known.size;
    }
    let nameEnd = at;
    while (nameEnd < to && TOKEN[bytes[nameEnd] ?? 0] === 1) nameEnd += 1;
    let lineEnd = nameEnd;
    while (lineEnd < to && bytes[lineEnd] !== LF) lineEnd += 1;
    if (lineEnd >= to) return HEAD_INCOMPLETE;
    if (lineEnd === at || (lineEnd === at + 1 && bytes[at] === CR)) return -(lineEnd + 1);

    // Whether the value goes on is told by the byte after the line. Source: RFC 9112 §5.2.
    let isFolded = false;
    for (;;) {
      if (lineEnd + 1 >= to) return HEAD_INCOMPLETE;
      const first = bytes[lineEnd + 1];
      if (first !== SP && first !== TAB) break;
      isFolded = true;
      lineEnd += 1;
      while (lineEnd < to && bytes[lineEnd] !== LF) lineEnd += 1;
      if (lineEnd >= to) return HEAD_INCOMPLETE;
    }
    read.size = lineEnd + 1 - at;
    read.entry = undefined;
    read.kept = undefined;
    if (nameEnd > at && bytes[nameEnd] === COLON) read.entry = table.find(bytes, at, nameEnd);
    if (read.entry !== undefined) take(read.entry, bytes, nameEnd + 1, lineEnd, isFolded);
    const isWhole = read.entry?.isKept !== true || read.kept !== undefined;
    // A secret is in no memory of ours.
    if (isWhole && !isFolded && read.entry?.isSecret !== true) {
      knownLines.remember(bytes, at, read);
    }
    return lineEnd + 1;
  }

  function take(
    entry: HeaderEntry,
    bytes: Uint8Array,
    valueFrom: number,
    valueTo: number,
    isFolded: boolean,
  ): void {
    const isKept = entry.isKept && list.length < KEPT_MAX;
    if (entry.isSecret) {
      if (entry.isMeant) head.hasMeant = true;
      if (isKept) keep([entry.name, REDACTED]);
      // Framing is not a value that anyone stores: without it the stream's place would be lost.
      if (entry.framing === FRAMING_NONE || entry.framing === FRAMING_HOST) return;
    }
    let from = valueFrom;
    let to = valueTo;
    while (from < to && isSpace(bytes[from] ?? 0)) from += 1;
    while (to > from && isSpace(bytes[to - 1] ?? 0)) to -= 1;
    const cut = Math.min(to, from + VALUE_LENGTH_MAX);
    const raw = text(bytes, from, cut);
    const value = isFolded ? unfold(raw) : raw;
    mean(entry, value);
    read.value = value;
    if (isKept && !entry.isSecret) keep([entry.name, value]);
  }

  function keep(header: Header): void {
    read.kept = header;
    read.hash = headerHash(header);
    list.add(header, read.hash);
  }

  /** What a header says of the message, whether or not it is kept. */
  function mean({ framing, isMeant }: HeaderEntry, value: string): void {
    if (isMeant) head.hasMeant = true;
    if (framing === FRAMING_CONTENT_LENGTH) takeContentLength(head, value);
    else if (framing === FRAMING_TRANSFER_ENCODING) takeTransferEncoding(head, value);
    else if (framing === FRAMING_HOST && head.isRequest && head.host === '') head.host = value;
  }

  return { parse, head };
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === TAB || byte === CR || byte === LF;
}

function unfold(value: string): string {
  return value.replace(/[ \t]*\r?\n[ \t]+/g, ' ');
}

/** Source: RFC 9112 §6.3: a list of equal values counts as one, anything else breaks framing. */
function takeContentLength(head: Http1Head, value: string): void {
  if (value.includes(',')) for (const part of value.split(',')) takeLength(head, part.trim());
  else takeLength(head, value);
}

function takeLength(head: Http1Head, digits: string): void {
  const length = decimal(digits);
  if (length === undefined || (head.contentLength ?? length) !== length) {
    head.isFramingBroken = true;
  } else if (!head.isFramingBroken) head.contentLength = length;
}

function decimal(digits: string): number | undefined {
  // 2^53 has 16 digits.
  if (digits.length === 0 || digits.length > 15) return undefined;
  let value = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = digits.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

function takeTransferEncoding(head: Http1Head, value: string): void {
  head.hasTransferEncoding = true;
  const last = value.slice(value.lastIndexOf(',') + 1).trim();
  head.isChunked = last.toLowerCase() === 'chunked';
}
