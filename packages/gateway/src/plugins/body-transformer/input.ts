import { decodeMultipart, multipartBoundary } from '@thalweg/wire';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { TemplateError } from './lua-tokens.ts';
import type { LuaValue } from './lua-values.ts';

export const INPUT_FORMATS = ['xml', 'json', 'encoded', 'args', 'plain', 'multipart'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

/** Elements by name without prefix; repeated ones are lists, attributes stand in `_attr`. */
const XML = new XMLParser({
  ignoreAttributes: false,
  attributesGroupName: '_attr',
  attributeNamePrefix: '',
  // Beside attributes the text is the first member of a list in Lua.
  textNodeName: '1',
  removeNSPrefix: true,
  parseTagValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/** The format that Content-Type names; undefined when the template gets the text alone. */
export function formatOf(contentType: string | undefined): InputFormat | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'text/xml' || type === 'application/xml') return 'xml';
  if (type === 'application/json') return 'json';
  if (type === 'application/x-www-form-urlencoded') return 'encoded';
  return type.startsWith('multipart/') ? 'multipart' : undefined;
}

/** What the names of a template stand for. Throws `TemplateError` when it is not of this format. */
export function decodeInput(
  format: InputFormat | undefined,
  text: string,
  about: { readonly contentType: string | undefined; readonly query: string },
): LuaValue {
  switch (format) {
    case 'json':
      return json(text);
    case 'xml':
      return xml(text);
    case 'encoded':
      return form(text);
    case 'args':
      return form(about.query);
    case 'multipart':
      return multipart(text, about.contentType);
    default:
      return {};
  }
}

function json(text: string): LuaValue {
  try {
    return JSON.parse(text) as LuaValue;
  } catch (error) {
    throw new TemplateError(error instanceof Error ? error.message : String(error));
  }
}

function xml(text: string): LuaValue {
  // What it declares may grow without bound, and no message needs it.
  if (/<!DOCTYPE/i.test(text)) throw new TemplateError('XML with a document type');
  const verdict = XMLValidator.validate(text);
  if (verdict !== true) throw new TemplateError(verdict.err.msg);
  try {
    return XML.parse(text) as LuaValue;
  } catch (error) {
    throw new TemplateError(error instanceof Error ? error.message : String(error));
  }
}

function form(text: string): LuaValue {
  const found: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    const known = found[name];
    found[name] = known === undefined ? value : [...[known].flat(), value];
  }
  return found;
}

function multipart(text: string, contentType: string | undefined): LuaValue {
  const boundary = multipartBoundary(contentType ?? '');
  const parts = boundary === undefined ? undefined : decodeMultipart(Buffer.from(text), boundary);
  if (parts?.kind !== 'decoded') throw new TemplateError('the body is no multipart');
  return Object.fromEntries(
    parts.value.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()]),
  );
}
