export * from './buffer/open-rows.ts';
export * from './buffer/telemetry-buffer.ts';
export type { Accounts, SenderAccount } from './door/accounts.ts';
export { createDoor, type Door, type DoorLimits, type DoorOptions } from './door/door.ts';
export {
  badRequestHandler,
  createHttpServer,
  type HttpListener,
  listenHttp,
  type TlsPair,
} from './door/listen.ts';
export * from './door/receiver.ts';
export { GRPC, type GrpcAnswer, type GrpcMethod } from './grpc/grpc-method.ts';
export { type GrpcLimits, type GrpcOptions, listenGrpc } from './grpc/grpc-server.ts';
export * from './integration.ts';
export {
  createMetricWriter,
  type MetricBatch,
  type MetricCounters,
  type MetricRefusal,
  type MetricsWritten,
  type MetricWriter,
  type MetricWriterOptions,
} from './metric-writer.ts';
export * from './receivers.ts';
export {
  createRemoteWrite,
  REMOTE_WRITE_PATHS,
  type RemoteWriteAnswer,
  type RemoteWriteRequest,
} from './remote-write.ts';
export * from './row-ids.ts';
export { SERIES_LIMITS, type SeriesLimits, seriesId } from './series-cache.ts';
export * from './telemetry-sink.ts';
