import { type JsonLimits, type OtlpSignal, otlpJsonToProtobuf, parseJson } from '@thalweg/wire';
import type { Received, Receiver } from '../door/receiver.ts';
import { faultAnswer, httpAnswer, JSON_TYPE, PROTOBUF_TYPE } from './answers.ts';
import type { OtlpExport } from './export.ts';

/**
 * Where OTLP/HTTP comes in. Clients append `/v1/<signal>` to an address that people may have given
 * with or without it, and DeepFlow's address has none: every form that results is known.
 */
export function otlpPaths(signal: OtlpSignal): string[] {
  const suffix = `/v1/${signal}`;
  const singular = signal.replace(/s$/, '');
  const bases = ['/api/v1/otel', `/api/v1/otel/${singular}`, `/api/v1/otel/${signal}`];
  return [
    suffix,
    `${suffix}${suffix}`,
    ...bases.slice(1),
    ...bases.map((base) => `${base}${suffix}`),
  ];
}

const MEDIA_TYPES = [PROTOBUF_TYPE, 'application/protobuf', 'application/octet-stream', JSON_TYPE];

/**
 * A value in a value takes three levels of JSON, and the encoder names the path of what is deeper
 * than it takes. Four million values are 40 MB of honest telemetry, and 300 MB of memory.
 */
const JSON_LIMITS: JsonLimits = { depthMax: 160, valuesMax: 4_000_000 };

export function otlpReceiver(signal: OtlpSignal, exportBytes: OtlpExport): Receiver {
  async function handle({ body, mediaType }: Received) {
    if (mediaType !== JSON_TYPE) return httpAnswer(signal, await exportBytes(body), mediaType);
    const encoded = encodedJson(signal, body);
    if (typeof encoded === 'string') {
      return faultAnswer({ status: 400, code: 'malformed', message: encoded }, mediaType);
    }
    return httpAnswer(signal, await exportBytes(encoded), mediaType);
  }
  return {
    name: `otlp_${signal}`,
    paths: otlpPaths(signal),
    mediaTypes: MEDIA_TYPES,
    handle,
    fault: faultAnswer,
  };
}

/** The protobuf bytes, or what is wrong with the JSON. */
function encodedJson(signal: OtlpSignal, body: Buffer): Uint8Array | string {
  const json = parseJson(body, JSON_LIMITS);
  if (json.kind === 'invalid') return json.reason;
  const encoded = otlpJsonToProtobuf(signal, json.value);
  return encoded.kind === 'bytes' ? encoded.bytes : encoded.reason;
}
