import { sqlWithoutLiterals } from '../sql.ts';

/**
 * Classes of SQLSTATE that are the client's own mistake. Source: the manual, "PostgreSQL Error Codes".
 */
const CLIENT_CLASSES = new Set(
  '02 03 07 09 0A 0L 0P 20 21 22 23 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F 42 44 P0'.split(' '),
);
/** Classes whose messages name objects, not data: the only texts that are kept. */
const NAMING_CLASSES = new Set('08 0A 25 26 28 34 3D 3F 40 42 53 54 55 57 58 XX'.split(' '));

export function isClientError(code: string): boolean {
  return CLIENT_CLASSES.has(code.slice(0, 2));
}

/** The SQLSTATE, and the text where it can hold no data. */
export function errorText(code: string, message: string): string {
  if (!NAMING_CLASSES.has(code.slice(0, 2))) return code;
  return `${code} ${sqlWithoutLiterals(message).slice(0, 256)}`;
}

/** Fields of an ErrorResponse: a letter and a text each. */
export function errorFields(text: string): { code: string; message: string } {
  let [code, message] = ['', ''];
  for (const field of text.split('\0')) {
    if (field.startsWith('C')) code = field.slice(1);
    else if (field.startsWith('M')) message = field.slice(1);
  }
  return { code: /^[0-9A-Z]{5}$/.test(code) ? code : '', message };
}
