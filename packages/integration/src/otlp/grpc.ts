import type { OtlpSignal } from '@thalweg/wire';
import { GRPC, type GrpcAnswer, type GrpcMethod } from '../grpc/grpc-method.ts';
import { successBytes } from './answers.ts';
import type { OtlpExport } from './export.ts';
import type { Exported } from './outcome.ts';

const SERVICES: Readonly<Record<OtlpSignal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
};

/** The Export method of a signal's service. */
export function otlpMethod(signal: OtlpSignal, exportBytes: OtlpExport): GrpcMethod {
  return {
    name: `otlp_${signal}`,
    path: `/${SERVICES[signal]}/Export`,
    kind: 'unary',
    handle: async (message) => grpcAnswer(await exportBytes(message)),
  };
}

function grpcAnswer(exported: Exported): GrpcAnswer {
  switch (exported.status) {
    case 'kept': {
      const { rows, rejected } = exported;
      return { code: GRPC.ok, message: successBytes(exported), rows, rejected };
    }
    case 'malformed':
      return { code: GRPC.invalidArgument, reason: 'malformed', text: exported.reason };
    case 'busy': {
      const text = 'the spool is full or the store is behind';
      const { retryAfterS } = exported;
      return { code: GRPC.unavailable, reason: 'busy', text, retryAfterS };
    }
    case 'refused':
      return { code: GRPC.internal, reason: 'refused', text: exported.reason };
  }
}
