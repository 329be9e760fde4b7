/** One key of etcd with its revisions. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
}

export type EtcdEvent =
  | { readonly kind: 'put'; readonly pair: KeyValue }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: number };

/** What a watch is told. `created` and `canceled` end or begin it; events come in order. */
export type WatchMessage =
  | { readonly kind: 'created'; readonly revision: number }
  | { readonly kind: 'canceled'; readonly compactRevision: number; readonly reason: string }
  | { readonly kind: 'events'; readonly events: readonly EtcdEvent[] };

/** A JSON object of etcd's gateway: fields of value zero are left out, 64-bit numbers are texts. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The first key after all that begin with `prefix`, in base64. Source: etcd's API guide, range_end. */
export function endOfPrefix(prefix: string): string {
  const bytes = Buffer.from(prefix);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + 1;
  return bytes.toString('base64');
}

export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A number or a text of digits; 0 for what is absent, as protobuf has it. */
export function numberOf(value: unknown): number {
  const number = Number(value ?? 0);
  return Number.isSafeInteger(number) ? number : 0;
}

export function revisionOf(answer: JsonObject): number {
  return numberOf(objectOf(answer['header'])['revision']);
}

export function pairOf(given: unknown): KeyValue {
  const pair = objectOf(given);
  return {
    key: textOf(pair['key']),
    value: textOf(pair['value']),
    createRevision: numberOf(pair['create_revision']),
    modRevision: numberOf(pair['mod_revision']),
  };
}

/** Undefined for a message that says nothing, such as a note of progress. */
export function watchMessageOf(result: JsonObject): WatchMessage | undefined {
  if (result['canceled'] === true) {
    const reason = String(result['cancel_reason'] ?? 'no reason given');
    return { kind: 'canceled', compactRevision: numberOf(result['compact_revision']), reason };
  }
  if (result['created'] === true) return { kind: 'created', revision: revisionOf(result) };
  const events = listOf(result['events']).map(eventOf);
  return events.length === 0 ? undefined : { kind: 'events', events };
}

function eventOf(given: unknown): EtcdEvent {
  const event = objectOf(given);
  const pair = pairOf(event['kv']);
  if (event['type'] !== 'DELETE') return { kind: 'put', pair };
  return { kind: 'delete', key: pair.key, modRevision: pair.modRevision };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : '';
}
