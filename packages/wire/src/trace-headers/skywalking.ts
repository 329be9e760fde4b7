import type { TraceContext } from './trace-context.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const ID_LENGTH_MAX = 256;

/**
 * `sw8: <sample>-<base64 trace>-<base64 parent segment>-<parent span index>-…`. A span has no id of
 * its own in SkyWalking: segment and index name it together, joined with a dash.
 * Source: SkyWalking Cross Process Propagation Headers Protocol v3.
 */
export function parseSw8(value: string): TraceContext | undefined {
  const [sample = '', trace = '', segment = '', index = ''] = value.split('-', 9);
  if (sample !== '0' && sample !== '1') return undefined;
  const traceId = decodeBase64(trace);
  const segmentId = decodeBase64(segment);
  if (traceId === '' || segmentId === '' || !isIndex(index)) return undefined;
  return { traceId, spanId: `${segmentId}-${index}`, parentSpanId: '' };
}

function isIndex(text: string): boolean {
  return text !== '' && text.length <= 10 && String(Number(text)) === text;
}

/** Printable ASCII in base64; anything else is no id and answers the empty string. */
function decodeBase64(encoded: string): string {
  if (encoded.length > ID_LENGTH_MAX) return '';
  let text = '';
  let bits = 0;
  let bitCount = 0;
  for (const letter of encoded) {
    if (letter === '=') break;
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) return '';
    bits = ((bits << 6) | digit) & 0x3fff;
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    const code = (bits >> bitCount) & 0xff;
    if (code < 0x21 || code > 0x7e) return '';
    text += String.fromCharCode(code);
  }
  return text;
}
