export { type Decoded, type DecodedList, decoded, invalid, type Refusal } from './decoded.ts';
export * from './fastcgi/decoder.ts';
export { looksLikeFastcgi } from './fastcgi/record.ts';
export { createFastcgiStream, type FastcgiStream } from './fastcgi/stream.ts';
export { createHttp1Decoder } from './http1/decoder.ts';
export type { Http1Head } from './http1/head.ts';
export { createHeaderTable, type HeaderTable, REDACTED } from './http1/header-table.ts';
export * from './http1/sink.ts';
export { createHttp1Stream, type Http1Stream, isBodyOpen } from './http1/stream.ts';
export { decodeInfluxLines } from './influx/lines.ts';
export { type InfluxPoint, type InfluxValue, PRECISIONS } from './influx/point.ts';
export {
  decodeJaegerBatch,
  type JaegerBatch,
  type JaegerSpan,
  type JaegerTag,
} from './jaeger/batch.ts';
export { isObject, type JsonLimits, type JsonObject, parseJson } from './json.ts';
export { decodeLogJson } from './logs/json.ts';
export { decodeLokiJson, decodeLokiProto } from './logs/loki.ts';
export { type LogLevel, type LogRecord, readLevel } from './logs/record.ts';
export { decodeSkywalkingLog, decodeSkywalkingLogs } from './logs/skywalking-log.ts';
export { decodeMultipart, type MultipartPart, multipartBoundary } from './multipart.ts';
export * from './otlp/index.ts';
export * from './pcap/index.ts';
export * from './postgresql/decoder.ts';
export { looksLikePostgresql } from './postgresql/frame.ts';
export { createPostgresqlStream, type PostgresqlStream } from './postgresql/stream.ts';
export { type ProfileName, readEpochUs, readProfileName } from './pprof/app-name.ts';
export { decodePprof } from './pprof/decode.ts';
export { decodeFolded, decodeStackLines, type FoldedStack } from './pprof/folded.ts';
export type { Profile, ProfileSample, SampleType } from './pprof/profile.ts';
export { decodePyroscopePush, type PushedSeries } from './pprof/push.ts';
export * from './prometheus/index.ts';
export * from './protobuf/reader.ts';
export { createProtoWriter, type ProtoWriter } from './protobuf/writer.ts';
export * from './redis/decoder.ts';
export { createRedisStream, isRedisHidden, type RedisStream } from './redis/stream.ts';
export { decodeSkywalkingJson } from './skywalking/json.ts';
export { decodeSegment, decodeSegmentCollection } from './skywalking/proto.ts';
export type { SkywalkingSegment, SkywalkingSpan } from './skywalking/segment.ts';
export { createTextCache, createTextDecoder, type DecodeText } from './text.ts';
export * from './trace-headers/index.ts';
export { decodeZipkinJson } from './zipkin/json.ts';
export { decodeZipkinProto } from './zipkin/proto.ts';
export type { ZipkinSpan } from './zipkin/span.ts';
