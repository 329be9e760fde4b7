import { type Decoded, decoded, invalid } from './decoded.ts';

export interface JsonLimits {
  /** Of arrays and objects in each other. */
  readonly depthMax: number;
  /** Of values: a million empty arrays are 2 MB of text and 16 MB and more of memory. */
  readonly valuesMax: number;
}
export const JSON_LIMITS: JsonLimits = { depthMax: 64, valuesMax: 2_000_000 };

export type JsonObject = Readonly<Record<string, unknown>>;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const decoder = new TextDecoder('utf-8', { ignoreBOM: false });

/**
 * Parses JSON whose cost is known before: one look over the bytes counts depth and values first.
 * Not valid, too deep or too much is a reason; nothing is thrown.
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits = JSON_LIMITS): Decoded<unknown> {
  const fault = excessOf(bytes, limits);
  if (fault !== undefined) return invalid(fault);
  try {
    return decoded(JSON.parse(decoder.decode(bytes)));
  } catch (error) {
    return invalid(`not JSON: ${error instanceof Error ? firstLine(error.message) : 'unreadable'}`);
  }
}

function excessOf(bytes: Uint8Array, { depthMax, valuesMax }: JsonLimits): string | undefined {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < bytes.length; at += 1) {
    switch (bytes[at]) {
      case QUOTE:
        at = endOfString(bytes, at);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth += 1;
        values += 1;
        if (depth > depthMax) return `JSON deeper than ${depthMax} at byte ${at}`;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth -= 1;
        break;
      case COMMA:
        values += 1;
        break;
      default:
        break;
    }
    if (values > valuesMax) return `JSON of more than ${valuesMax} values`;
  }
  return undefined;
}

function endOfString(bytes: Uint8Array, open: number): number {
  let at = open + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** V8 quotes a piece of the text, which may have lines of its own. */
function firstLine(message: string): string {
  return (message.split('\n', 1)[0] ?? '').slice(0, 120);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The string, or the empty string for anything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Numbers and booleans as text, strings as they are, objects and arrays as JSON, null as ''. */
export function printed(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A whole number from JSON, also as a decimal string; undefined for anything else. */
export function wholeNumberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) : undefined;
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) return undefined;
  return Number(value);
}
