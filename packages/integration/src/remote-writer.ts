import {
  createSnappyDecoder,
  decodeWriteRequest,
  decodeWriteRequestV2,
  type RemoteWriteLimits,
  type SnappyFault,
} from '@thalweg/wire';
import type { MetricBatch, MetricsWritten, MetricWriter } from './metric-writer.ts';
import { SERIES_LIMITS } from './series-cache.ts';

export type RemoteWriteVersion = '1.0' | '2.0';

export interface Unreadable {
  readonly status: 'unreadable';
  readonly code: SnappyFault;
  readonly message: string;
}

/** Takes bodies of remote write as they came, packed. */
export interface RemoteWriter {
  write(body: Uint8Array, version: RemoteWriteVersion): Promise<MetricsWritten | Unreadable>;
}

/** Plain bytes of a request; a honest sender posts one or two megabytes. */
const PLAIN_BYTES_MAX = 64 * 2 ** 20;
const LIMITS: RemoteWriteLimits = { labelsMax: 2 * SERIES_LIMITS.labelsMax };

/** Unpacks a body; answers what pushes its metrics, good until the next body, or what is wrong. */
export type BodyReader = (
  body: Uint8Array,
  version: RemoteWriteVersion,
) => Unreadable | ((batch: MetricBatch) => string);

export function createBodyReader(): BodyReader {
  const snappy = createSnappyDecoder(PLAIN_BYTES_MAX);
  return (body, version) => {
    const plain = snappy.decode(body);
    if (plain.kind === 'invalid') {
      return { status: 'unreadable', code: plain.code, message: plain.message };
    }
    const decode = version === '1.0' ? decodeWriteRequest : decodeWriteRequestV2;
    return (batch) => decode(plain.bytes, batch, LIMITS);
  };
}

/** Reads bodies in this thread. */
export function createRemoteWriter(writer: MetricWriter): RemoteWriter {
  const read = createBodyReader();
  return {
    write: async (body, version) => {
      const fill = read(body, version);
      return typeof fill === 'function' ? writer.write(fill) : fill;
    },
  };
}
