import { decodeJaegerBatch } from '@thalweg/wire';
import { faultAnswer, type Receiver } from '../door/receiver.ts';
import type { OtlpExport } from '../otlp/export.ts';
import { spansAnswer, takeSpans } from '../spans/take-spans.ts';
import { jaegerGroups } from './jaeger-spans.ts';

/** Jaeger's collector over HTTP: a batch in Thrift's binary protocol. 202 when the spans are on disk. */
export function jaegerReceiver(exportSpans: OtlpExport): Receiver {
  return {
    name: 'jaeger',
    paths: ['/api/traces'],
    sharesPaths: true,
    mediaTypes: [
      'application/x-thrift',
      'application/vnd.apache.thrift.binary',
      'application/octet-stream',
    ],
    handle: async ({ body }) => {
      const batch = decodeJaegerBatch(body);
      if (batch.kind === 'invalid') {
        return faultAnswer({ status: 400, code: 'body_invalid', message: batch.reason });
      }
      const groups = jaegerGroups(batch.value);
      return spansAnswer(await takeSpans(batch.value.spans, groups, exportSpans, 'span'), 202);
    },
  };
}
