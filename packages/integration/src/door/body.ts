import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import type { Fault } from './receiver.ts';
import { unpackZstd, ZSTD_BYTES_MAX } from './zstd.ts';

export interface BodyLimits {
  /** Of one body, packed and unpacked alike. */
  readonly bodyBytesMax: number;
  /** From the end of the headers to the end of the body. */
  readonly bodyTimeoutMs: number;
}

/** Bytes of all bodies that are held at one time. */
export interface ByteBudget {
  /** False, and nothing taken, when there is no room. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  readonly taken: number;
}

export type Unpacked =
  | { readonly kind: 'body'; readonly bytes: Buffer }
  | { readonly kind: 'fault'; readonly fault: Fault };
/** `aborted`: the sender went away, nobody is there to be answered. */
export type Body = Unpacked | { readonly kind: 'aborted' };

export function createByteBudget(bytesMax: number): ByteBudget {
  let taken = 0;
  return {
    take: (bytes) => {
      if (taken + bytes > bytesMax) return false;
      taken += bytes;
      return true;
    },
    give: (bytes) => {
      taken -= bytes;
    },
    get taken() {
      return taken;
    },
  };
}

/** There is no room in the budget: the sender comes back. */
export const BODIES_FULL: Fault = {
  status: 503,
  code: 'bodies_full',
  message: 'too many bodies are being received',
  retryAfterS: 1,
};

/** The body as it came. Whoever gets it gives `bytes.length` back to the budget. Never rejects. */
export function readBody(
  request: IncomingMessage,
  { bodyBytesMax, bodyTimeoutMs }: BodyLimits,
  budget: ByteBudget,
): Promise<Body> {
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) {
    return Promise.resolve({ kind: 'fault', fault: tooLarge(bodyBytesMax) });
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => {
      const message = `the body took longer than ${bodyTimeoutMs} ms`;
      end({ kind: 'fault', fault: { status: 408, code: 'body_timeout', message } });
    }, bodyTimeoutMs);

    function onData(chunk: Buffer): void {
      if (size + chunk.length > bodyBytesMax) {
        end({ kind: 'fault', fault: tooLarge(bodyBytesMax) });
      } else if (!budget.take(chunk.length)) {
        end({ kind: 'fault', fault: BODIES_FULL });
      } else {
        size += chunk.length;
        chunks.push(chunk);
      }
    }
    function onEnd(): void {
      const [first] = chunks;
      const isOne = chunks.length === 1 && first !== undefined;
      end({ kind: 'body', bytes: isOne ? first : Buffer.concat(chunks, size) });
    }
    const onClose = (): void => end({ kind: 'aborted' });

    function end(body: Body): void {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      request.on('error', () => undefined); // A reset after the answer is nobody's concern.
      if (body.kind !== 'body') budget.give(size);
      resolve(body);
    }
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

const UNPACK = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  zstd: (bytes: Uint8Array, { maxOutputLength }: { readonly maxOutputLength: number }) =>
    unpackZstd(bytes, maxOutputLength),
} as const;
/** What a sender is told that it can use. */
export const ENCODINGS = ['gzip', 'deflate', 'zstd'] as const;

const PIECE_BYTES_MIN = 2 ** 14;
const PIECE_BYTES_MAX = 2 ** 20;

export type Encoding = keyof typeof UNPACK;

export function isEncoding(name: string): name is Encoding {
  return Object.hasOwn(UNPACK, name);
}

/**
 * Unpacks in the thread pool (zstd: here, in turns) and stops at `mostBytes`, so that a small body
 * cannot become a large one. Never rejects.
 */
export async function unpack(
  bytes: Uint8Array,
  name: Encoding,
  mostBytes: number,
): Promise<Unpacked> {
  const bytesMax = name === 'zstd' ? Math.min(mostBytes, ZSTD_BYTES_MAX) : mostBytes;
  // Each piece is a trip to the thread pool: a bomb in pieces of Node's 16 KiB takes seconds.
  const chunkSize = Math.min(Math.max(PIECE_BYTES_MIN, 8 * bytes.length), PIECE_BYTES_MAX);
  const options = { maxOutputLength: bytesMax, chunkSize };
  try {
    return { kind: 'body', bytes: await UNPACK[name](bytes, options) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ERR_BUFFER_TOO_LARGE') return { kind: 'fault', fault: tooLarge(bytesMax) };
    // RFC 9110 §8.4.1.2 means zlib's format; some senders take the bare one.
    if (name === 'deflate' && code === 'Z_DATA_ERROR') {
      const bare = await promisify(inflateRaw)(bytes, options).catch(() => undefined);
      if (bare !== undefined) return { kind: 'body', bytes: bare };
    }
    const reason = error instanceof Error ? error.message : String(error);
    const message = `the body is not ${name}: ${reason}`;
    return { kind: 'fault', fault: { status: 400, code: 'body_corrupt', message } };
  }
}

function tooLarge(bytesMax: number): Fault {
  const message = `the body is larger than ${bytesMax} bytes, unpacked`;
  return { status: 413, code: 'body_too_large', message };
}
