import {
  createListCollector,
  type Decoded,
  type DecodedList,
  decoded,
  invalid,
} from '../decoded.ts';
import { readInfluxLine } from './line.ts';
import { INFLUX_LIMITS, type InfluxPoint, PRECISIONS } from './point.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: false });

/**
 * Decodes a body of lines. Empty lines and those that begin with `#` are skipped. A line that is no
 * point is refused by itself; `at` in the refusal counts lines from 0, and a line break inside a
 * quoted string belongs to its line. `precision` is a key of `PRECISIONS`.
 */
export function decodeInfluxLines(
  bytes: Uint8Array,
  precision: string,
): Decoded<DecodedList<InfluxPoint>> {
  const unitNs = PRECISIONS[precision];
  if (unitNs === undefined) {
    return invalid(
      `precision ${JSON.stringify(precision.slice(0, 16))} is not ns, us, ms, s, m or h`,
    );
  }
  const text = decoder.decode(bytes);
  const points = createListCollector<InfluxPoint>();
  let line = 0;
  for (let from = 0; from < text.length; ) {
    const { end, breaks } = endOfLine(text, from);
    if (line >= INFLUX_LIMITS.linesMax) return invalid(`more than ${INFLUX_LIMITS.linesMax} lines`);
    takeLine(text.slice(from, end), line, unitNs, points);
    line += breaks;
    from = end + 1;
  }
  return decoded(points.list());
}

function takeLine(
  raw: string,
  at: number,
  unitNs: bigint,
  points: ReturnType<typeof createListCollector<InfluxPoint>>,
): void {
  const line = (raw.endsWith('\r') ? raw.slice(0, -1) : raw).replace(/^[ \t]+/, '');
  if (line === '' || line.startsWith('#')) return;
  if (line.length > INFLUX_LIMITS.lineBytesMax) {
    points.refuse(at, `longer than ${INFLUX_LIMITS.lineBytesMax} characters`);
    return;
  }
  const point = readInfluxLine(line, unitNs);
  if (typeof point === 'string') points.refuse(at, point);
  else points.keep(point);
}

/**
 * Quotes count only in the fields: a tag may hold one. A quote that never closes takes the lines
 * after it along, up to the longest line; trying each of those again would cost their square.
 */
function endOfLine(text: string, from: number): { end: number; breaks: number } {
  const first = text.indexOf('\n', from);
  const plainEnd = first < 0 ? text.length : first;
  const fields = startOfFields(text, from, plainEnd);
  if (fields < 0 || text[from] === '#') return { end: plainEnd, breaks: 1 };
  let isQuoted = false;
  let breaks = 1;
  const most = Math.min(text.length, from + INFLUX_LIMITS.lineBytesMax);
  for (let at = fields; at < most; at += 1) {
    const letter = text[at];
    if (letter === '\\') at += 1;
    else if (letter === '"') isQuoted = isQuoted ? false : text[at - 1] === '=';
    else if (letter === '\n') {
      if (!isQuoted) return { end: at, breaks };
      breaks += 1;
    }
  }
  return { end: most, breaks };
}

function startOfFields(text: string, from: number, end: number): number {
  for (let at = from; at < end; at += 1) {
    const letter = text[at];
    if (letter === '\\') at += 1;
    else if (letter === ' ' && at > from) return at;
  }
  return -1;
}
