import { CHUNKED, type Framing, NO_BODY, type RequestHead } from '../http/head.ts';
import { HeaderFields } from '../http/header-fields.ts';
import { isFieldName, isFieldValue } from './fields.ts';

const TARGET = /^(\/[\x21-\x7e]*|\*)$/;

/**
 * The head of an HTTP/2 request as the pipeline has it. Undefined when it could not be written down
 * as HTTP/1.1 in one way only: 400. `raw` is names and values in turn.
 * Source: RFC 9113 §8.2.3, §8.3.1; what Node's own HTTP/2 refuses does not come so far.
 */
export function requestHeadOf(
  raw: readonly string[],
  isBodyless: boolean,
): RequestHead | undefined {
  const fields = new HeaderFields();
  const pseudo = new Map<string, string>();
  const cookies: string[] = [];
  let size = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i], raw[i + 1]];
    size += name.length + value.length;
    if (!isFieldValue(value)) return undefined;
    if (name.startsWith(':')) pseudo.set(name, value);
    else if (!isFieldName(name)) return undefined;
    else if (name === 'cookie') cookies.push(value);
    else fields.push(name, name, value);
  }
  const authority = pseudo.get(':authority') ?? fields.get('host') ?? '';
  const hosts = fields.all('host');
  if (hosts.length > 1 || (hosts[0] ?? authority) !== authority || /[\s/@]/.test(authority)) {
    return undefined;
  }
  fields.set('Host', authority);
  if (cookies.length > 0) fields.push('cookie', 'cookie', cookies.join('; '));
  const [method = '', target = ''] = [pseudo.get(':method'), pseudo.get(':path')];
  if (!isFieldName(method.toLowerCase()) || !TARGET.test(target)) return undefined;
  const framing = framingOf(fields, isBodyless);
  if (framing === undefined) return undefined;
  return {
    kind: 'request',
    method,
    target,
    isHttp10: false,
    isHttp2: true,
    fields,
    framing,
    isKeepAlive: true,
    expectsContinue: fields.get('expect')?.toLowerCase() === '100-continue',
    upgrade: undefined,
    size,
  };
}

function framingOf(fields: HeaderFields, isBodyless: boolean): Framing | undefined {
  const lengths = fields.all('content-length');
  const [length] = lengths;
  if (lengths.length > 1 || (length !== undefined && !/^\d{1,15}$/.test(length))) return undefined;
  if (isBodyless) return length === undefined || Number(length) === 0 ? NO_BODY : undefined;
  return length === undefined ? CHUNKED : { kind: 'length', bytes: Number(length) };
}
