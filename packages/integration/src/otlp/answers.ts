import { createProtoWriter, type OtlpSignal } from '@thalweg/wire';
import type { Answer, Fault } from '../door/receiver.ts';
import type { Exported } from './outcome.ts';

// Answers to export requests. Source: OTLP specification 1.5, "OTLP/HTTP Response" and "Partial
// Success": 200 also when some rows were left out, since a sender must not send them again.

const REJECTED_NAME: Readonly<Record<OtlpSignal, string>> = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
};

export const JSON_TYPE = 'application/json';
export const PROTOBUF_TYPE = 'application/x-protobuf';

/** ExportTraceServiceResponse and its like: empty, or with a partial success. */
export function successBytes({ rejected, reason }: { rejected: number; reason: string }) {
  const writer = createProtoWriter();
  if (rejected > 0) {
    writer.messageField(1, () => {
      writer.varintField(1, rejected);
      writer.textField(2, reason);
    });
  }
  return writer.finish();
}

export function httpAnswer(signal: OtlpSignal, exported: Exported, mediaType: string): Answer {
  switch (exported.status) {
    case 'kept': {
      const { rows, rejected, reason } = exported;
      const counts = { rows, rejected, ...(rejected > 0 ? { reason: 'partial' } : {}) };
      if (mediaType !== JSON_TYPE) {
        return { status: 200, mediaType: PROTOBUF_TYPE, body: successBytes(exported), ...counts };
      }
      const partial = { [REJECTED_NAME[signal]]: String(rejected), errorMessage: reason };
      const body = JSON.stringify(rejected === 0 ? {} : { partialSuccess: partial });
      return { status: 200, mediaType: JSON_TYPE, body, ...counts };
    }
    case 'malformed':
      return faultAnswer({ status: 400, code: 'malformed', message: exported.reason }, mediaType);
    case 'busy': {
      const message = 'the spool is full or the store is behind';
      const { retryAfterS } = exported;
      return faultAnswer({ status: 503, code: 'busy', message, retryAfterS }, mediaType);
    }
    case 'refused':
      return faultAnswer({ status: 500, code: 'refused', message: exported.reason }, mediaType);
  }
}

/** google.rpc.Code by HTTP status. Source: googleapis, google/rpc/code.proto. */
const RPC_CODES: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  404: 5,
  405: 12,
  408: 4,
  413: 8,
  415: 3,
  429: 8,
  500: 13,
  503: 14,
};

/** google.rpc.Status in the format of the request. */
export function faultAnswer(fault: Fault, mediaType: string): Answer {
  const { status, code: reason, message, retryAfterS } = fault;
  const code = RPC_CODES[status] ?? 2;
  const headers = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
  if (mediaType === JSON_TYPE) {
    const body = JSON.stringify({ code, message });
    return { status, mediaType: JSON_TYPE, body, headers, reason };
  }
  const writer = createProtoWriter();
  writer.varintField(1, code);
  writer.textField(2, message);
  return { status, mediaType: PROTOBUF_TYPE, body: writer.finish(), headers, reason };
}
