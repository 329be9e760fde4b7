import { createHttp1Head, type Header, type Http1Head } from '../http1/head.ts';
import { createHeaderList, headerHash } from '../http1/header-list.ts';
import { type HeaderEntry, type HeaderTable, REDACTED } from '../http1/header-table.ts';
import type { DecodeText } from '../text.ts';

const LF = 0x0a;
const COLON = 0x3a;
const HTTP_PREFIX = [...'HTTP_'].map((letter) => letter.charCodeAt(0));
/** Kept headers of one head; further ones are skipped. */
const KEPT_MAX = 64;
const VALUE_LENGTH_MAX = 4096;

/** Reads CGI's variables and headers into one reused head of HTTP, which it answers. */
export interface CgiHeadReader {
  /** Name-value pairs. Source: FastCGI 1.0 §3.4; the names: RFC 3875 §4.1. A cut pair is left out. */
  request(bytes: Uint8Array, to: number, isCut: boolean): Http1Head;
  /** Lines up to an empty one. Source: RFC 3875 §6.3: without `Status` it is 200. */
  response(bytes: Uint8Array, to: number, isCut: boolean): Http1Head;
}

export function createCgiHeadReader(table: HeaderTable, text: DecodeText): CgiHeadReader {
  const head = createHttp1Head();
  const list = createHeaderList();
  const script = { name: '', query: '' };

  function begin(isRequest: boolean, isCut: boolean): void {
    Object.assign(head, createHttp1Head(), { isRequest, isCut });
    list.begin();
  }

  function keep(entry: HeaderEntry | undefined, read: () => string): void {
    if (entry?.isKept !== true) return;
    if (entry.isMeant) head.hasMeant = true;
    if (list.length >= KEPT_MAX) return;
    const header: Header = [entry.name, entry.isSecret ? REDACTED : read()];
    list.add(header, headerHash(header));
  }

  function variable(bytes: Uint8Array, from: number, nameEnd: number, to: number): void {
    const value = (): string => text(bytes, nameEnd, Math.min(to, nameEnd + VALUE_LENGTH_MAX));
    if (HTTP_PREFIX.every((code, at) => bytes[from + at] === code)) {
      const entry = table.find(bytes, from + HTTP_PREFIX.length, nameEnd);
      if (entry?.name === 'host') head.host = value();
      keep(entry, value);
      return;
    }
    switch (text(bytes, from, nameEnd)) {
      case 'REQUEST_METHOD':
        head.method = value();
        break;
      case 'REQUEST_URI':
        head.path = value();
        break;
      case 'SCRIPT_NAME':
        script.name = value();
        break;
      case 'QUERY_STRING':
        script.query = value();
        break;
      case 'SERVER_PROTOCOL':
        head.version = value().replace(/^HTTP\//, '');
        break;
      case 'CONTENT_LENGTH':
        head.contentLength = lengthOf(value());
        break;
    }
  }

  function line(bytes: Uint8Array, from: number, nameEnd: number, to: number): void {
    const value = (): string =>
      text(bytes, nameEnd + 1, Math.min(to, nameEnd + VALUE_LENGTH_MAX)).trim();
    const name = text(bytes, from, nameEnd).toLowerCase();
    if (name === 'status') {
      const [code = '', ...reason] = value().split(' ');
      head.status = /^[1-9]\d\d$/.test(code) ? Number(code) : 0;
      head.reason = reason.join(' ');
    } else if (name === 'content-length') head.contentLength = lengthOf(value());
    else if (name === 'location' && head.status === 0) head.status = 302; // RFC 3875 §6.2.3.
    keep(table.find(bytes, from, nameEnd), value);
  }

  return {
    request(bytes, to, isCut) {
      begin(true, isCut);
      script.name = '';
      script.query = '';
      let at = 0;
      while (at < to) {
        const nameAt = at + sizeOfLength(bytes, at);
        const nameLength = readLength(bytes, at);
        const valueLength = readLength(bytes, nameAt);
        const from = nameAt + sizeOfLength(bytes, nameAt);
        const end = from + nameLength + valueLength;
        if (end > to) break;
        variable(bytes, from, from + nameLength, end);
        at = end;
      }
      head.path ||= script.query === '' ? script.name : `${script.name}?${script.query}`;
      head.headers = list.end();
      return head;
    },
    response(bytes, to, isCut) {
      begin(false, isCut);
      let at = 0;
      while (at < to) {
        let lineEnd = bytes.indexOf(LF, at);
        if (lineEnd < 0 || lineEnd >= to) break; // A cut line says nothing for sure.
        const nameEnd = bytes.indexOf(COLON, at);
        if (nameEnd > at && nameEnd < lineEnd) line(bytes, at, nameEnd, lineEnd);
        lineEnd += 1;
        at = lineEnd;
      }
      head.status ||= 200;
      head.headers = list.end();
      return head;
    },
  };
}

/** One byte below 128, else four of 31 bits. */
function sizeOfLength(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) < 0x80 ? 1 : 4;
}

function readLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return first;
  return (
    (((first & 0x7f) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}

function lengthOf(digits: string): number | undefined {
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}

/** The offset behind the empty line in `bytes[0, to)`; -1 while there is none. */
export function cgiHeadEnd(bytes: Uint8Array, to: number): number {
  for (let at = bytes.indexOf(LF); at >= 0 && at < to - 1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === 0x0d && at + 2 < to && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}
