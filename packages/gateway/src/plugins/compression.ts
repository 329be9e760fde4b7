import type { HeaderFields } from '../core/http/header-fields.ts';
import type { RequestContext } from '../core/request-context.ts';

/** What gzip and brotli are configured by alike. */
export interface Compression {
  readonly types: '*' | readonly string[];
  readonly min_length: number;
  readonly http_version: number;
  readonly vary?: boolean;
}

/** The schema of `Compression`. */
export const COMPRESSION = {
  types: {
    anyOf: [
      { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
      { enum: ['*'] },
    ],
    default: ['text/html'],
  },
  min_length: { type: 'integer', minimum: 1, default: 20, description: 'octets' },
  http_version: { enum: [1.1, 1.0], default: 1.1, description: 'the least to compress for' },
} as const;

/** Whether the answer as it stands is to be sent in `coding`. */
export function isCompressed(
  { head, headers, response }: RequestContext,
  { types, min_length, http_version }: Compression,
  coding: string,
): boolean {
  if (response === undefined || head.method === 'HEAD') return false;
  const { status, fields } = response;
  if (status === 204 || status === 206 || status === 304 || fields.has('content-encoding'))
    return false;
  if (head.isHttp10 && http_version > 1) return false;
  const length = fields.get('content-length');
  if (length !== undefined && Number(length) < min_length) return false;
  const type = fields.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === undefined || (types !== '*' && !types.includes(type))) return false;
  return acceptsCoding(headers.joined('accept-encoding'), coding);
}

/** Source: RFC 9110 §12.5.3; a weight of 0 refuses. */
export function acceptsCoding(field: string | undefined, coding: string): boolean {
  const weights = new Map(
    (field ?? '').split(',').map((one) => {
      const [name = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((part) => part.startsWith('q='))?.slice(2);
      return [name, weight === undefined ? 1 : Number(weight)];
    }),
  );
  return (weights.get(coding) ?? weights.get('*') ?? 0) > 0;
}

/** The fields of an answer that is from now on sent in `coding`. */
export function announceCoding(fields: HeaderFields, coding: string, { vary }: Compression): void {
  fields.remove('Content-Length');
  fields.remove('Accept-Ranges');
  fields.set('Content-Encoding', coding);
  weakenTag(fields);
  if (vary !== true) return;
  const given = fields.joined('vary');
  fields.set('Vary', given === undefined ? 'Accept-Encoding' : `${given}, Accept-Encoding`);
}

/** Of other octets a strong tag says too much (RFC 9110 §8.8.1). */
function weakenTag(fields: HeaderFields): void {
  const tag = fields.get('etag');
  if (tag !== undefined && !tag.startsWith('W/')) fields.set('ETag', `W/${tag}`);
}
