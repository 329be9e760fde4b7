/** One end of a span. Empty texts and port 0 for what is not known. */
export interface ZipkinEndpoint {
  readonly serviceName: string;
  readonly ip: string;
  readonly port: number;
}

export interface ZipkinAnnotation {
  /** Microseconds since the epoch. */
  readonly timestampUs: number;
  readonly value: string;
}

export type ZipkinKind = 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER';

/** A span of Zipkin's v2 model. Source: zipkin-api, zipkin2-api.yaml and zipkin.proto. */
export interface ZipkinSpan {
  /** 16 or 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly id: string;
  /** As `id`; empty for a root. */
  readonly parentId: string;
  readonly kind: ZipkinKind | undefined;
  readonly name: string;
  /** Microseconds since the epoch; 0 when the sender did not know. */
  readonly timestampUs: number;
  readonly durationUs: number;
  readonly local: ZipkinEndpoint;
  readonly remote: ZipkinEndpoint;
  readonly annotations: readonly ZipkinAnnotation[];
  readonly tags: readonly (readonly [name: string, value: string])[];
  /** The client made the id and the server reports its end under the same one. */
  readonly isShared: boolean;
  readonly isDebug: boolean;
}

export const NO_ENDPOINT: ZipkinEndpoint = { serviceName: '', ip: '', port: 0 };

export const ZIPKIN_LIMITS = { spansMax: 50_000, tagsMax: 256, annotationsMax: 256 } as const;

/** Lower-case hex without what it needs to be padded; undefined when it is no id of `lengthMax`. */
export function normalId(text: string, lengthMax: 16 | 32): string | undefined {
  if (text.length === 0 || text.length > lengthMax || !/^[0-9a-fA-F]+$/.test(text))
    return undefined;
  const id = text.toLowerCase().padStart(text.length > 16 ? 32 : 16, '0');
  return /^0+$/.test(id) ? undefined : id;
}
