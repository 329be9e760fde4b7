import { constants } from 'node:zlib';
import { BrotliCompress } from 'minizlib';
import { announceCoding, COMPRESSION, type Compression, isCompressed } from './compression.ts';
import { definePlugin } from './plugin.ts';

interface Brotli extends Compression {
  readonly comp_level: number;
  readonly mode: number;
  readonly lgwin: number;
  readonly lgblock: number;
}

/** Compresses what is sent to clients that take brotli. */
export const brotli = definePlugin<Brotli>({
  name: 'brotli',
  priority: 996,
  summary: 'Compresses answers for clients that take brotli.',
  example: { types: ['text/html', 'application/json'], comp_level: 4, vary: true },
  notes: [
    'Needs no library to be installed. On by default as every plugin is here, where APISIX leaves it out of its list.',
    'Each piece of an answer is sent as it comes. Where gzip is configured too, clients that take both get brotli.',
  ],
  schema: {
    type: 'object',
    properties: {
      ...COMPRESSION,
      comp_level: { type: 'integer', minimum: 0, maximum: 11, default: 6 },
      mode: { type: 'integer', minimum: 0, maximum: 2, default: 0, description: '1 text, 2 fonts' },
      lgwin: {
        enum: [0, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24],
        default: 19,
        description: 'window, power of 2; 0: the compressor decides',
      },
      lgblock: {
        enum: [0, 16, 17, 18, 19, 20, 21, 22, 23, 24],
        default: 0,
        description: 'input block, power of 2; 0: the compressor decides',
      },
      vary: { type: 'boolean' },
    },
  },
  create(conf) {
    const slot = Symbol('brotli');
    return {
      header_filter(context) {
        const { response } = context;
        if (response === undefined || !isCompressed(context, conf, 'br')) return;
        context.setSlot(slot, createBrotliStream(conf));
        announceCoding(response.fields, 'br', conf);
      },
      body_filter(context, bytes, isLast) {
        return context.slot<BrotliStream>(slot)?.write(bytes, isLast) ?? bytes;
      },
      log(context) {
        context.slot<BrotliStream>(slot)?.close();
      },
    };
  },
});

interface BrotliStream {
  /** What `bytes` have become, whole: nothing is held back. */
  write(bytes: Buffer, isLast: boolean): Buffer;
  /** Frees the compressor of an answer that was cut. */
  close(): void;
}

/** Synchronous, as body filters are: zlib's own stream is not. */
export function createBrotliStream({
  comp_level,
  mode,
  lgwin,
  lgblock,
}: Pick<Brotli, 'comp_level' | 'mode' | 'lgwin' | 'lgblock'>): BrotliStream {
  // Its types know the options of zlib's other compressors only; it hands all of them on.
  const options = {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: comp_level,
      [constants.BROTLI_PARAM_MODE]: mode,
      [constants.BROTLI_PARAM_LGBLOCK]: lgblock,
      ...(lgwin === 0 ? {} : { [constants.BROTLI_PARAM_LGWIN]: lgwin }),
    },
    flush: constants.BROTLI_OPERATION_FLUSH,
  };
  const compress = new BrotliCompress(options);
  const packed: Buffer[] = [];
  compress.on('data', (bytes: Buffer) => packed.push(bytes));
  return {
    write(bytes, isLast) {
      if (bytes.length > 0) compress.write(bytes);
      if (isLast) compress.end();
      return Buffer.concat(packed.splice(0));
    },
    close: () => compress.close(),
  };
}
