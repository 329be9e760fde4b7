import { type Decoded, decoded, invalid } from './decoded.ts';

export interface MultipartPart {
  readonly name: string;
  readonly fileName: string;
  /** A view of the body. */
  readonly bytes: Uint8Array;
}

const PARTS_MAX = 16;
const HEAD_BYTES_MAX = 8_192;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const LINE_FEED = 0x0a;

/** The boundary that a Content-Type of multipart/form-data names; undefined when it names none. */
export function multipartBoundary(contentType: string): string | undefined {
  const match = /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(
    contentType.slice(0, 512),
  );
  return match?.[1] ?? match?.[2];
}

/**
 * Decodes multipart/form-data. A body without its closing boundary is invalid. Lines end with CRLF, or
 * all of them with a bare line feed, as bodies written by hand do. Source: RFC 7578.
 */
export function decodeMultipart(
  body: Uint8Array,
  boundary: string,
): Decoded<readonly MultipartPart[]> {
  const delimiter = encoder.encode(`--${boundary}`);
  const parts: MultipartPart[] = [];
  let at = indexOf(body, delimiter, 0);
  if (at < 0) return invalid('the boundary is not in the body');
  const lineBreak = body[at + delimiter.length] === LINE_FEED ? '\n' : '\r\n';
  const blankLine = encoder.encode(lineBreak + lineBreak);
  for (;;) {
    at += delimiter.length;
    if (body[at] === 0x2d && body[at + 1] === 0x2d) return decoded(parts);
    if (parts.length === PARTS_MAX) return invalid(`more than ${PARTS_MAX} parts`);
    const headEnd = indexOf(body.subarray(0, at + HEAD_BYTES_MAX), blankLine, at);
    if (headEnd < 0) return invalid(`part ${parts.length} has no end of its headers`);
    const next = indexOf(body, delimiter, headEnd);
    if (next < 0) return invalid(`part ${parts.length} is cut off`);
    const head = decoder.decode(body.subarray(at, headEnd));
    const from = headEnd + blankLine.length;
    parts.push({
      name: parameterOf(head, 'name'),
      fileName: parameterOf(head, 'filename'),
      bytes: body.subarray(from, Math.max(from, next - lineBreak.length)),
    });
    at = next;
  }
}

function parameterOf(head: string, name: string): string {
  return new RegExp(`[;\\s]${name}="([^"]*)"`, 'i').exec(head)?.[1] ?? '';
}

/** Steps to the next first byte natively: bodies are large and boundaries few. */
function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let size = 1;
    while (size < wanted.length && bytes[at + size] === wanted[size]) size += 1;
    if (size === wanted.length) return at;
  }
  return -1;
}
