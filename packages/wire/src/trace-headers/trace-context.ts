/** The ids that a trace header carries; an id that a format lacks is the empty string. */
export interface TraceContext {
  readonly traceId: string;
  /** The span that sent the message. */
  readonly spanId: string;
  /** That span's parent. */
  readonly parentSpanId: string;
}

/** Whether all of `text[from, to)` are hexadecimal digits; upper case counts only if `anyCase`. */
export function isHex(text: string, from: number, to: number, anyCase = true): boolean {
  if (to <= from || to > text.length) return false;
  for (let i = from; i < to; i += 1) {
    const code = text.charCodeAt(i);
    const isDigit = code >= 0x30 && code <= 0x39;
    const isLower = code >= 0x61 && code <= 0x66;
    const isUpper = anyCase && code >= 0x41 && code <= 0x46;
    if (!isDigit && !isLower && !isUpper) return false;
  }
  return true;
}

/** An id of zeros says that there is none. */
export function isZeros(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) if (text.charCodeAt(i) !== 0x30) return false;
  return true;
}
