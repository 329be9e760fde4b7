export { crc32c } from './crc32c.ts';
export { type BucketSpan, decodeHistogram, type HistogramMessage } from './histogram.ts';
export {
  decodeReadRequest,
  encodeChunkedFrames,
  encodeReadResponse,
  type ReadMatcher,
  type ReadQuery,
  type ReadRequest,
  type ReadResponseType,
  type ReadSeries,
} from './remote-read.ts';
export {
  decodeLabels,
  decodeWriteRequest,
  type FlatLabels,
  METRIC_TYPES,
  type MetricType,
  type RemoteWriteLimits,
  type RemoteWriteSink,
} from './remote-write.ts';
export { decodeWriteRequestV2 } from './remote-write-v2.ts';
export {
  createSnappyDecoder,
  type SnappyDecoder,
  type SnappyFault,
  snappyEncode,
  type Unsnapped,
} from './snappy.ts';
export { CHUNK_SAMPLES, encodeXorChunk, type XorChunk } from './xor-chunk.ts';
