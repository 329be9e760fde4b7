import { constants, crc32, deflateRawSync } from 'node:zlib';
import type { HeaderFields } from '../core/http/header-fields.ts';
import type { RequestContext } from '../core/request-context.ts';
import { definePlugin } from './plugin.ts';

interface Gzip {
  readonly types: '*' | readonly string[];
  readonly min_length: number;
  readonly comp_level: number;
  readonly http_version: number;
  readonly vary?: boolean;
}

/** How far back a repetition may lie. Source: RFC 1951 §2. */
const WINDOW_BYTES = 32_768;
/** Magic, deflate, no flags, no time, unknown system. Source: RFC 1952 §2.3. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** Compresses what is sent to clients that take gzip. */
export const gzip = definePlugin<Gzip>({
  name: 'gzip',
  priority: 995,
  summary: 'Compresses answers for clients that take gzip.',
  example: { types: ['text/html', 'application/json'], min_length: 256, vary: true },
  notes: ['`buffers` is accepted and means nothing: each piece is sent as it comes.'],
  schema: {
    type: 'object',
    properties: {
      types: {
        anyOf: [
          { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
          { enum: ['*'] },
        ],
        default: ['text/html'],
      },
      min_length: { type: 'integer', minimum: 1, default: 20, description: 'octets' },
      comp_level: { type: 'integer', minimum: 1, maximum: 9, default: 1 },
      http_version: { enum: [1.1, 1.0], default: 1.1, description: 'the least to compress for' },
      buffers: {
        type: 'object',
        properties: {
          number: { type: 'integer', minimum: 1, default: 32 },
          size: { type: 'integer', minimum: 1, default: 4096 },
        },
        default: { number: 32, size: 4096 },
      },
      vary: { type: 'boolean' },
    },
  },
  create(conf) {
    const slot = Symbol('gzip');
    const types = conf.types === '*' ? undefined : new Set(conf.types);
    return {
      header_filter(context) {
        const { response } = context;
        if (response === undefined || !isCompressed(context, conf, types)) return;
        const { fields } = response;
        context.setSlot(slot, createGzipStream(conf.comp_level));
        fields.remove('Content-Length');
        fields.remove('Accept-Ranges');
        fields.set('Content-Encoding', 'gzip');
        weakenTag(fields);
        if (conf.vary === true) {
          const given = fields.joined('vary');
          fields.set('Vary', given === undefined ? 'Accept-Encoding' : `${given}, Accept-Encoding`);
        }
      },
      body_filter(context, bytes, isLast) {
        return context.slot<GzipStream>(slot)?.(bytes, isLast) ?? bytes;
      },
    };
  },
});

function isCompressed(
  { head, headers, response }: RequestContext,
  { min_length, http_version }: Gzip,
  types: ReadonlySet<string> | undefined,
): boolean {
  if (response === undefined || head.method === 'HEAD') return false;
  const { status, fields } = response;
  if (status === 204 || status === 206 || status === 304 || fields.has('content-encoding'))
    return false;
  if (head.isHttp10 && http_version > 1) return false;
  const length = fields.get('content-length');
  if (length !== undefined && Number(length) < min_length) return false;
  const type = fields.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === undefined || types?.has(type) === false) return false;
  return acceptsGzip(headers.joined('accept-encoding'));
}

/** Source: RFC 9110 §12.5.3; a weight of 0 refuses. */
export function acceptsGzip(field: string | undefined): boolean {
  const weights = new Map(
    (field ?? '').split(',').map((one) => {
      const [coding = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((part) => part.startsWith('q='))?.slice(2);
      return [coding, weight === undefined ? 1 : Number(weight)];
    }),
  );
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}

/** Of other octets a strong tag says too much (RFC 9110 §8.8.1). */
function weakenTag(fields: HeaderFields): void {
  const tag = fields.get('etag');
  if (tag !== undefined && !tag.startsWith('W/')) fields.set('ETag', `W/${tag}`);
}

type GzipStream = (bytes: Buffer, isLast: boolean) => Buffer;

/**
 * Each piece becomes whole blocks at once, so that a slow stream is not held back, and knows the 32
 * KiB before it, so that this costs little. Synchronous, as body filters are: zlib's own stream is
 * not.
 */
export function createGzipStream(level: number): GzipStream {
  let hasBegun = false;
  let checksum = 0;
  let size = 0;
  let before = Buffer.alloc(0);
  return (bytes, isLast) => {
    const parts: Buffer[] = hasBegun ? [] : [HEADER];
    hasBegun = true;
    if (bytes.length > 0 || isLast) {
      const finishFlush = isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
      const dictionary = before.length > 0 ? { dictionary: before } : {};
      parts.push(deflateRawSync(bytes, { level, finishFlush, ...dictionary }));
      // Of no octets at all crc32 answers 0, whatever it was given.
      if (bytes.length > 0) checksum = crc32(bytes, checksum);
      size = (size + bytes.length) >>> 0;
      before = Buffer.from(Buffer.concat([before, bytes]).subarray(-WINDOW_BYTES));
    }
    if (isLast) {
      const tail = Buffer.alloc(8);
      tail.writeUInt32LE(checksum, 0);
      tail.writeUInt32LE(size, 4);
      parts.push(tail);
    }
    return Buffer.concat(parts);
  };
}
