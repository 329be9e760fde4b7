import { constants, crc32, deflateRawSync } from 'node:zlib';
import { announceCoding, COMPRESSION, type Compression, isCompressed } from './compression.ts';
import { definePlugin } from './plugin.ts';

interface Gzip extends Compression {
  readonly comp_level: number;
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
      types: COMPRESSION.types,
      min_length: COMPRESSION.min_length,
      comp_level: { type: 'integer', minimum: 1, maximum: 9, default: 1 },
      http_version: COMPRESSION.http_version,
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
    return {
      header_filter(context) {
        const { response } = context;
        if (response === undefined || !isCompressed(context, conf, 'gzip')) return;
        context.setSlot(slot, createGzipStream(conf.comp_level));
        announceCoding(response.fields, 'gzip', conf);
      },
      body_filter(context, bytes, isLast) {
        return context.slot<GzipStream>(slot)?.(bytes, isLast) ?? bytes;
      },
    };
  },
});

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
