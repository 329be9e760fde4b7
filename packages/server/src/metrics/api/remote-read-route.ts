import { Readable } from 'node:stream';
import { DEFAULT_LIMITS, SourceLimitError } from '@thalweg/promql';
import {
  createSnappyDecoder,
  decodeReadRequest,
  encodeChunkedFrames,
  encodeReadResponse,
  type ReadQuery,
  type ReadSeries,
  snappyEncode,
} from '@thalweg/wire';
import type { FastifyReply } from 'fastify';
import type { Metrics } from '../metrics.ts';
import type { RawSeries } from '../stored-series.ts';
import { keptStretch } from '../stretch.ts';
import { PrometheusError } from './envelope.ts';

const REQUEST_BYTES_MAX = 1 << 20;
/** As Prometheus's own: frames of a megabyte at the most. */
const FRAME_BYTES_MAX = 1 << 20;

/**
 * Answers remote read: samples, or streamed chunks where the client takes them and no histogram is
 * among the series. Source: Prometheus docs, "Remote read".
 */
export async function answerRemoteRead(
  body: Uint8Array,
  reply: FastifyReply,
  { metrics, signal }: { readonly metrics: Metrics; readonly signal: AbortSignal },
): Promise<FastifyReply> {
  const plain = createSnappyDecoder(REQUEST_BYTES_MAX).decode(body);
  if (plain.kind === 'invalid') throw new PrometheusError('bad_data', `snappy: ${plain.message}`);
  const request = decodeReadRequest(plain.bytes);
  if (typeof request === 'string') throw new PrometheusError('bad_data', request);
  const results: ReadSeries[][] = [];
  let samplesMax = DEFAULT_LIMITS.samplesMax;
  for (const query of request.queries) {
    const series = await read(metrics, query, { signal, samplesMax });
    samplesMax -= series.reduce((sum, { times }) => sum + times.length, 0);
    results.push(series);
  }
  const hasHistograms = results.some((series) =>
    series.some(({ histograms }) => histograms.length > 0),
  );
  if (request.accepted[0] === 'streamed-xor-chunks' && !hasHistograms) {
    reply.type('application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse');
    return reply.send(Readable.from(frames(results)));
  }
  if (!request.accepted.includes('samples')) {
    throw new PrometheusError('bad_data', 'histograms are answered as samples only');
  }
  reply.type('application/x-protobuf').header('content-encoding', 'snappy');
  return reply.send(Buffer.from(snappyEncode(encodeReadResponse(results))));
}

function* frames(results: readonly (readonly ReadSeries[])[]): Generator<Uint8Array> {
  for (const [index, series] of results.entries()) {
    yield* encodeChunkedFrames(series, index, FRAME_BYTES_MAX);
  }
}

async function read(
  { source, live }: Metrics,
  { startMs, endMs, matchers }: ReadQuery,
  { signal, samplesMax }: { readonly signal: AbortSignal; readonly samplesMax: number },
): Promise<ReadSeries[]> {
  const options = { signal, samplesMax, seriesMax: DEFAULT_LIMITS.seriesMax };
  if (samplesMax <= 0) throw new SourceLimitError('more samples than a query may read');
  const found: ReadSeries[] = [];
  for (const series of await source.read({ startMs, endMs, matchers }, options)) {
    found.push(toReadSeries(series, live.labelsOf(series.slot)));
  }
  return found;
}

function toReadSeries(
  series: RawSeries,
  labels: readonly (readonly [string, string])[],
): ReadSeries {
  const { times, values } = keptStretch(series);
  return {
    labels: labels.flat(),
    times,
    halves: new Uint32Array(values.buffer, values.byteOffset, 2 * values.length),
    histograms: series.histograms,
  };
}
