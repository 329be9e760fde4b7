import {
  type Decoded,
  type DecodedList,
  decodeSegment,
  decodeSegmentCollection,
  decodeSkywalkingJson,
  decodeSkywalkingLog,
  type LogRecord,
  type SkywalkingSegment,
} from '@thalweg/wire';
import { faultAnswer, type Receiver } from '../door/receiver.ts';
import { GRPC, type GrpcAnswer, type GrpcMethod } from '../grpc/grpc-method.ts';
import { takeLogs } from '../logs/log-receivers.ts';
import type { OtlpExport } from '../otlp/export.ts';
import type { ReceiverContext } from '../receivers.ts';
import { spansAnswer, takeSpans } from '../spans/take-spans.ts';
import { segmentGroups } from './segment-spans.ts';

const SEGMENT_PATHS = ['/v3/segment', '/v3/segments'];
const ALIVE_PATHS = ['/v3/management/reportProperties', '/v3/management/keepAlive'];

/** SkyWalking's HTTP protocol, as APISIX and browsers speak it. */
export function skywalkingReceivers(exportSpans: OtlpExport): Receiver[] {
  return [
    {
      name: 'skywalking',
      paths: SEGMENT_PATHS,
      handle: async ({ body }) => {
        const segments = decodeSkywalkingJson(body);
        if (segments.kind === 'invalid') {
          return faultAnswer({ status: 400, code: 'body_invalid', message: segments.reason });
        }
        const groups = segmentGroups(segments.value.items);
        return spansAnswer(await takeSpans(segments.value, groups, exportSpans, 'segment'), 200);
      },
    },
    {
      // Agents stay up as long as somebody answers; what they report of themselves is not kept.
      name: 'skywalking_management',
      paths: ALIVE_PATHS,
      handle: () => ({ status: 200, mediaType: 'application/json', body: '{}\n' }),
    },
  ];
}

const TRACE_SERVICE = 'skywalking.v3.TraceSegmentReportService';
/** An empty `Commands`: the server has none for the agent. */
const NO_COMMANDS = new Uint8Array();

interface Unkept {
  readonly name: string;
  readonly path: string;
  readonly kind: GrpcMethod['kind'];
}

const unkept = (service: string, method: string, kind: GrpcMethod['kind']): Unkept => ({
  name: `skywalking_${method.toLowerCase()}`,
  path: `/skywalking.v3.${service}/${method}`,
  kind,
});

/** Answered so that agents go on; their messages are counted as `rejected`, and not kept. */
const UNKEPT: readonly Unkept[] = [
  unkept('JVMMetricReportService', 'collect', 'unary'),
  unkept('CLRMetricReportService', 'collect', 'unary'),
  unkept('MeterReportService', 'collect', 'client-stream'),
  unkept('MeterReportService', 'collectBatch', 'client-stream'),
  unkept('EventService', 'collect', 'client-stream'),
];

/** SkyWalking's gRPC protocol, which its agents speak. */
export function skywalkingMethods(exportSpans: OtlpExport, context: ReceiverContext): GrpcMethod[] {
  const segments = (
    method: string,
    kind: GrpcMethod['kind'],
    decode: (bytes: Uint8Array) => Decoded<DecodedList<SkywalkingSegment>>,
  ): GrpcMethod => ({
    name: 'skywalking',
    path: `/${TRACE_SERVICE}/${method}`,
    kind,
    handle: (message) => keepSegments(decode(message), exportSpans),
  });
  const management = ['reportInstanceProperties', 'keepAlive'].map(
    (method): GrpcMethod => ({
      name: 'skywalking_management',
      path: `/skywalking.v3.ManagementService/${method}`,
      kind: 'unary',
      handle: () => Promise.resolve(commands(0, 0)),
    }),
  );
  return [
    segments('collect', 'client-stream', decodeSegment),
    segments('collectInSync', 'unary', decodeSegmentCollection),
    {
      name: 'logs_skywalking',
      path: '/skywalking.v3.LogReportService/collect',
      kind: 'client-stream',
      handle: async (message) => keepLog(decodeSkywalkingLog(message), context),
    },
    ...management,
    ...UNKEPT.map(
      (method): GrpcMethod => ({
        ...method,
        name: 'skywalking_unkept',
        handle: () => Promise.resolve(commands(0, 1)),
      }),
    ),
    {
      name: 'skywalking_management',
      path: '/skywalking.v3.ConfigurationDiscoveryService/fetchConfigurations',
      kind: 'unary',
      handle: () => Promise.resolve(commands(0, 0)),
    },
  ];
}

async function keepSegments(
  segments: Decoded<DecodedList<SkywalkingSegment>>,
  exportSpans: OtlpExport,
): Promise<GrpcAnswer> {
  if (segments.kind === 'invalid') {
    return { code: GRPC.invalidArgument, reason: 'body_invalid', text: segments.reason };
  }
  const groups = segmentGroups(segments.value.items);
  const taken = await takeSpans(segments.value, groups, exportSpans, 'segment');
  if (taken.kind === 'taken') return commands(taken.rows, taken.rejected);
  const { code: reason, message: text, status, retryAfterS } = taken.fault;
  if (status === 503) {
    return { code: GRPC.unavailable, reason, text, ...(retryAfterS && { retryAfterS }) };
  }
  const isTheirs = status < 500;
  return { code: isTheirs ? GRPC.invalidArgument : GRPC.internal, reason, text };
}

/** Status and reason of the HTTP answer, in gRPC's codes. */
async function keepLog(
  record: Decoded<DecodedList<LogRecord>>,
  context: ReceiverContext,
): Promise<GrpcAnswer> {
  const answer = await takeLogs(record, context, 'skywalking', 200);
  if (answer.status === 200) return commands(answer.rows ?? 0, answer.rejected ?? 0);
  const reason = answer.reason ?? '';
  if (answer.status === 503)
    return { code: GRPC.unavailable, reason, text: reason, retryAfterS: 1 };
  const code = answer.status < 500 ? GRPC.invalidArgument : GRPC.internal;
  return { code, reason, text: reason };
}

function commands(rows: number, rejected: number): GrpcAnswer {
  return { code: GRPC.ok, message: NO_COMMANDS, rows, rejected };
}
