import type { LogAttribute } from './record.ts';

const LABELS_MAX = 128;
const TEXT_LENGTH_MAX = 65_536;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** Reads `{name="value", …}`, values quoted as in Go. A text says why it is none. */
export function parseLabels(text: string): readonly LogAttribute[] | string {
  const trimmed = text.length > TEXT_LENGTH_MAX ? '' : text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return 'labels are not in braces';
  const inner = trimmed.slice(1, -1);
  const labels: LogAttribute[] = [];
  const pair = /\s*([A-Za-z_][\w.]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)\s*(?:,|$)/y;
  while (pair.lastIndex < inner.length) {
    if (inner.slice(pair.lastIndex).trim() === '') break;
    const match = pair.exec(inner);
    if (match === null) return 'labels are not name="value"';
    if (labels.length === LABELS_MAX) return `more than ${LABELS_MAX} labels`;
    labels.push([match[1] ?? '', match[3] ?? unquoted(match[2] ?? '')]);
  }
  return labels;
}

function unquoted(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)/g, (_, code: string) => {
    if (code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return ESCAPES[code] ?? code;
  });
}
