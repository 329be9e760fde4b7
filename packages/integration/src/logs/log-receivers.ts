import {
  createSnappyDecoder,
  type Decoded,
  type DecodedList,
  decodeLogJson,
  decodeLokiJson,
  decodeLokiProto,
  decodeSkywalkingLogs,
  type LogRecord,
} from '@thalweg/wire';
import { type Answer, faultAnswer, type Received, type Receiver } from '../door/receiver.ts';
import { emptyFault, takenBody, takenOf, writtenFault } from '../list-answer.ts';
import type { ReceiverContext } from '../receivers.ts';
import { writeLogRows } from './log-rows.ts';

const BODY_BYTES_MAX = 32 * 2 ** 20;

/** Vector's events and gateways' access logs, as JSON: an array, an object, or one a line. */
export function jsonLogReceiver(context: ReceiverContext): Receiver {
  return {
    name: 'logs_json',
    paths: ['/api/v1/log', '/http-logger'],
    bodyBytesMax: BODY_BYTES_MAX,
    handle: ({ body }) => takeLogs(decodeLogJson(body), context, 'http-json', 200),
  };
}

/** What Promtail, Alloy, Grafana's agents and gateways push in Loki's place. */
export function lokiReceiver(context: ReceiverContext): Receiver {
  const unsnappy = createSnappyDecoder(BODY_BYTES_MAX);

  function decode({ body, mediaType }: Received): Decoded<DecodedList<LogRecord>> {
    if (mediaType === 'application/json') return decodeLokiJson(body);
    const unpacked = unsnappy.decode(body);
    if (unpacked.kind === 'bytes') return decodeLokiProto(unpacked.bytes);
    return { kind: 'invalid', reason: unpacked.message };
  }

  return {
    name: 'logs_loki',
    paths: ['/loki/api/v1/push'],
    mediaTypes: ['application/json', 'application/x-protobuf'],
    rawEncodings: ['snappy'],
    bodyBytesMax: BODY_BYTES_MAX,
    handle: (request) => takeLogs(decode(request), context, 'loki', 204),
  };
}

/** Logs by SkyWalking's HTTP protocol, as APISIX's skywalking-logger posts them. */
export function skywalkingLogReceiver(context: ReceiverContext): Receiver {
  return {
    name: 'logs_skywalking',
    paths: ['/v3/logs'],
    bodyBytesMax: BODY_BYTES_MAX,
    handle: ({ body }) => takeLogs(decodeSkywalkingLogs(body), context, 'skywalking', 200),
  };
}

/** `status` is what the protocol calls success. */
export async function takeLogs(
  decoded: Decoded<DecodedList<LogRecord>>,
  context: ReceiverContext,
  receiver: string,
  status: 200 | 204,
): Promise<Answer> {
  if (decoded.kind === 'invalid') {
    return faultAnswer({ status: 400, code: 'body_invalid', message: decoded.reason });
  }
  const list = decoded.value;
  let outOfTime = 0;
  let rows = 0;
  const written = await context.buffer.write((open) => {
    ({ rows, outOfTime } = writeLogRows(list.items, open, context, receiver));
    return undefined;
  });
  const taken = takenOf(list, rows, 'log');
  const all = {
    rows,
    rejected: taken.rejected + outOfTime,
    firstRefusal: taken.firstRefusal || (outOfTime > 0 ? 'time is out of what is kept' : ''),
  };
  const fault = writtenFault(written) ?? emptyFault(all);
  if (fault !== undefined) return { ...faultAnswer(fault), rejected: all.rejected };
  const reason = outOfTime > 0 ? 'out_of_time' : all.rejected > 0 ? 'record_invalid' : '';
  const body = status === 204 ? {} : { mediaType: 'application/json', body: takenBody(all) };
  return { status, ...body, rows, rejected: all.rejected, reason };
}
