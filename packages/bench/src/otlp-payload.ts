import { randomFillSync } from 'node:crypto';
import { createProtoWriter, type ProtoWriter, readRecords } from '@thalweg/wire';

/** An export request whose ids and times can be made new in place: no two rows are alike. */
export interface OtlpPayload {
  readonly bytes: Buffer;
  readonly spans: number;
  /** Puts in new ids, traces of eight spans, and times that end now. */
  renew(nowMs: number): void;
}

const SPANS_PER_TRACE = 8;
/** Where a span's own bytes stand: see `spanHead`. */
const TRACE_ID_AT = 2;
const SPAN_ID_AT = TRACE_ID_AT + 16 + 2;
const PARENT_ID_AT = SPAN_ID_AT + 8 + 2;
const START_AT = PARENT_ID_AT + 8 + 1;
const END_AT = START_AT + 8 + 1;
const HEAD_BYTES = END_AT + 8;

const SERVICES = ['gateway', 'orders', 'stock', 'users', 'pay', 'mail'];
const ROUTES = ['/orders/{id}', '/cart', '/items/{sku}', '/login', '/pay/{id}', '/search'];
const POD = 'orders-7d9f8b6c54-x2x9k';

/** About 500 bytes and a dozen attributes a span, as a service behind a gateway has. */
export function otlpPayload(spans: number, seed: number): OtlpPayload {
  const random = generator(seed);
  const writer = createProtoWriter();
  const service = SERVICES[seed % SERVICES.length] ?? 'gateway';
  writer.messageField(1, () => {
    writer.messageField(1, () => {
      attribute(writer, 1, 'service.name', service);
      attribute(writer, 1, 'service.instance.id', `${service}-${seed % 3}`);
      attribute(writer, 1, 'telemetry.sdk.language', 'nodejs');
      attribute(writer, 1, 'host.name', `node-${seed % 4}`);
    });
    writer.messageField(2, () => {
      writer.messageField(1, () => writer.textField(1, '@opentelemetry/instrumentation-http'));
      for (let at = 0; at < spans; at += 1) writer.bytesField(2, spanBytes(random));
    });
  });
  const bytes = Buffer.from(writer.finish());
  const starts: number[] = [];
  readRecords(bytes, {
    resource: () => undefined,
    scope: () => undefined,
    item: (cursor) => {
      starts.push(cursor.at);
    },
  });
  const ids = Buffer.alloc(8 * spans + 16 * Math.ceil(spans / SPANS_PER_TRACE));
  return { bytes, spans, renew: (nowMs) => renew(bytes, starts, ids, random, nowMs) };
}

function renew(
  bytes: Buffer,
  starts: readonly number[],
  ids: Buffer,
  random: () => number,
  nowMs: number,
): void {
  randomFillSync(ids);
  for (let at = 0; at < starts.length; at += 1) {
    const start = starts[at] ?? 0;
    const trace = 8 * starts.length + 16 * Math.floor(at / SPANS_PER_TRACE);
    ids.copy(bytes, start + TRACE_ID_AT, trace, trace + 16);
    ids.copy(bytes, start + SPAN_ID_AT, 8 * at, 8 * at + 8);
    const parent = at % SPANS_PER_TRACE === 0 ? at : at - 1;
    ids.copy(bytes, start + PARENT_ID_AT, 8 * parent, 8 * parent + 8);
    const endNs = BigInt(nowMs) * 1_000_000n - BigInt(Math.floor(random() * 1e9));
    const durationNs = BigInt(Math.floor(2e5 + random() ** 4 * 5e7));
    bytes.writeBigUInt64LE(endNs - durationNs, start + START_AT);
    bytes.writeBigUInt64LE(endNs, start + END_AT);
  }
}

/** Ids and times first, at places that are known, then the rest. */
function spanBytes(random: () => number): Uint8Array {
  const head = Buffer.alloc(HEAD_BYTES);
  head.set([0x0a, 16]);
  head.set([0x12, 8], SPAN_ID_AT - 2);
  head.set([0x22, 8], PARENT_ID_AT - 2);
  head[START_AT - 1] = 0x39;
  head[END_AT - 1] = 0x41;
  const route = ROUTES[Math.floor(random() * ROUTES.length)] ?? '/';
  const id = Math.floor(random() * 9_000);
  const writer = createProtoWriter();
  writer.textField(5, `GET ${route}`);
  writer.varintField(6, random() < 0.5 ? 2 : 3);
  attribute(writer, 9, 'http.request.method', random() < 0.8 ? 'GET' : 'POST');
  attribute(writer, 9, 'http.route', route);
  attribute(writer, 9, 'url.path', route.replace(/\{.*\}/, String(id)));
  attribute(writer, 9, 'url.scheme', 'http');
  attribute(writer, 9, 'server.address', 'shop.example.test');
  attribute(writer, 9, 'network.protocol.version', '1.1');
  attribute(writer, 9, 'network.peer.address', `10.1.0.${id % 64}`);
  attribute(writer, 9, 'user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) Firefox/142.0');
  attribute(writer, 9, 'k8s.pod.name', POD);
  attribute(writer, 9, 'thread.name', `worker-${id % 8}`);
  writer.messageField(9, () => {
    writer.textField(1, 'http.response.status_code');
    writer.messageField(2, () => writer.signedField(3, random() < 0.03 ? 500 : 200));
  });
  writer.messageField(9, () => {
    writer.textField(1, 'cart.items');
    writer.messageField(2, () => writer.signedField(3, id % 20, true));
  });
  return Buffer.concat([head, writer.finish()]);
}

function attribute(writer: ProtoWriter, field: number, key: string, value: string): void {
  writer.messageField(field, () => {
    writer.textField(1, key);
    writer.messageField(2, () => writer.textField(1, value));
  });
}

/** Deterministic, in [0, 1). Mulberry32. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
