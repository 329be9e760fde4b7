export {
  createMetricWriter,
  type MetricBatch,
  type MetricCounters,
  type MetricRefusal,
  type MetricsWritten,
  type MetricWriter,
  type MetricWriterOptions,
} from './metric-writer.ts';
export {
  createRemoteWrite,
  REMOTE_WRITE_PATHS,
  type RemoteWriteAnswer,
  type RemoteWriteRequest,
} from './remote-write.ts';
export { SERIES_LIMITS, type SeriesLimits, seriesId } from './series-cache.ts';
export * from './telemetry-sink.ts';
