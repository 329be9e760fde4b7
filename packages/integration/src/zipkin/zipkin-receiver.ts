import { decodeZipkinJson, decodeZipkinProto } from '@thalweg/wire';
import { faultAnswer, type Receiver } from '../door/receiver.ts';
import type { OtlpExport } from '../otlp/export.ts';
import { spansAnswer, takeSpans } from '../spans/take-spans.ts';
import { zipkinGroups } from './zipkin-spans.ts';

const PROTOBUF_TYPES = ['application/x-protobuf', 'application/protobuf'];

/** Zipkin's collector, v2 in JSON and protobuf. 202 when the spans are on disk. */
export function zipkinReceiver(exportSpans: OtlpExport): Receiver {
  return {
    name: 'zipkin',
    paths: ['/api/v2/spans'],
    mediaTypes: [...PROTOBUF_TYPES, 'application/json', 'text/plain', 'application/octet-stream'],
    handle: async ({ body, mediaType }) => {
      const isProtobuf = PROTOBUF_TYPES.includes(mediaType);
      const spans = isProtobuf ? decodeZipkinProto(body) : decodeZipkinJson(body);
      if (spans.kind === 'invalid') {
        return faultAnswer({ status: 400, code: 'body_invalid', message: spans.reason });
      }
      const groups = zipkinGroups(spans.value.items);
      return spansAnswer(await takeSpans(spans.value, groups, exportSpans, 'span'), 202);
    },
  };
}
