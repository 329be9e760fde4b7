import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { connectionOptions } from '../http/connection-options.ts';
import { HOP_BY_HOP, NOT_IN_TRAILERS } from '../http/field-name.ts';
import { HeaderFields } from '../http/header-fields.ts';

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Octets as HTTP/1 would take them: what is above 255 would become another octet on its way. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export function isFieldName(name: string): boolean {
  return NAME.test(name);
}

export function isFieldValue(value: string): boolean {
  return VALUE.test(value);
}

/** What Node hands over, without pseudo-fields. Undefined when one could not be passed on. */
export function fieldsOf(headers: IncomingHttpHeaders): HeaderFields | undefined {
  const fields = new HeaderFields();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      if (!isFieldName(name) || !isFieldValue(one)) return undefined;
      fields.push(name, name, one);
    }
  }
  return fields;
}

/**
 * As Node sends them: names in lower case, none of one connection (RFC 9113 §8.2.2) or of a kind in
 * `without`, repeated ones as one list, but `Set-Cookie` as it is and cookies by semicolons.
 */
export function outgoing(fields: HeaderFields, without: number): OutgoingHttpHeaders {
  const listed = connectionOptions(fields).fields;
  const sent: Record<string, string | string[]> = Object.create(null);
  for (const { name } of fields.list) {
    const { key, kinds } = name;
    if (key in sent || (kinds & (HOP_BY_HOP | without)) !== 0) continue;
    if (listed.includes(key) || !isFieldName(key)) continue;
    const values = fields.all(key);
    if (key === 'set-cookie') sent[key] = values;
    else sent[key] = values.join(key === 'cookie' ? '; ' : ', ');
  }
  return sent;
}

/** Trailer fields that may be passed on. */
export function outgoingTrailers(trailers: HeaderFields | undefined): OutgoingHttpHeaders {
  return trailers === undefined ? {} : outgoing(trailers, NOT_IN_TRAILERS);
}
