import type { TelemetryBuffer } from './buffer/telemetry-buffer.ts';
import type { Receiver } from './door/receiver.ts';
import type { GrpcMethod } from './grpc/grpc-method.ts';
import { influxReceivers } from './influx/influx-receivers.ts';
import { jaegerReceiver } from './jaeger/jaeger-receiver.ts';
import { jsonLogReceiver, lokiReceiver, skywalkingLogReceiver } from './logs/log-receivers.ts';
import type { MetricWriter } from './metric-writer.ts';
import { createOtlpExports, createTextIdExport } from './otlp/export.ts';
import { otlpMethod } from './otlp/grpc.ts';
import { otlpReceiver } from './otlp/http.ts';
import { profileReceivers } from './profiles/profile-receivers.ts';
import { remoteWriteReceiver } from './remote-write-receiver.ts';
import type { RemoteWriter } from './remote-writer.ts';
import type { HoursOf } from './retention-hours.ts';
import type { RowIds } from './row-ids.ts';
import { skywalkingMethods, skywalkingReceivers } from './skywalking/skywalking-receivers.ts';
import { zipkinReceiver } from './zipkin/zipkin-receiver.ts';

/** What a receiver has to work with. */
export interface ReceiverContext {
  readonly buffer: TelemetryBuffer;
  readonly ids: RowIds;
  readonly metrics: MetricWriter;
  readonly remoteWriter: RemoteWriter;
  /** 32 random bits of this run. */
  readonly seed: number;
  /** Goes into the column `agent`; empty on the server. */
  readonly agent: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly hoursOf: HoursOf;
}

/** Everything that is received by HTTP. A new kind of telemetry is a line here. */
export function receiversOf(context: ReceiverContext): Receiver[] {
  const otlp = createOtlpExports(context);
  return [
    otlpReceiver('traces', otlp.traces),
    otlpReceiver('logs', otlp.logs),
    otlpReceiver('metrics', otlp.metrics),
    zipkinReceiver(otlp.traces),
    jaegerReceiver(otlp.traces),
    ...skywalkingReceivers(createTextIdExport(context)),
    remoteWriteReceiver(context.remoteWriter),
    ...influxReceivers(context),
    jsonLogReceiver(context),
    lokiReceiver(context),
    skywalkingLogReceiver(context),
    ...profileReceivers(context),
  ];
}

/** Everything that is called by gRPC. */
export function methodsOf(context: ReceiverContext): GrpcMethod[] {
  const otlp = createOtlpExports(context);
  return [
    otlpMethod('traces', otlp.traces),
    otlpMethod('logs', otlp.logs),
    otlpMethod('metrics', otlp.metrics),
    ...skywalkingMethods(createTextIdExport(context), context),
  ];
}
