import { onTestFinished } from 'vitest';
import { listenHttp } from '../door/listen.ts';
import { createIntegration } from '../integration.ts';
import { createRecordedSink } from './recorded-sink.ts';

/** When the payloads were recorded, about; spans of the tests are of this time too. */
export const NOW_MS = Date.parse('2026-11-22T12:00:00Z');
export const START_NS = `${NOW_MS - 1_000}000000`;
export const END_NS = `${NOW_MS - 900}123456`;

/** The receivers behind a listener on loopback. */
export async function openOtlp() {
  const sink = createRecordedSink();
  const integration = createIntegration({
    sink,
    token: undefined,
    agent: '',
    instance: 7,
    now: () => NOW_MS,
    limits: { flushMs: 1, bodyBytesMax: 1e6 },
  });
  const listener = await listenHttp({ host: '127.0.0.1', port: 0 }, (request, response) => {
    void integration.door.handle(request, response);
  });
  onTestFinished(() => listener.close());
  const post = (path: string, body: string | Uint8Array, headers: Record<string, string>) =>
    // Node's fetch takes bytes; its type of the web does not name a view.
    fetch(listener.url + path, { method: 'POST', body: body as string, headers });
  return { sink, integration, post };
}

export const JSON_HEADERS = { 'content-type': 'application/json' };
export const PROTO_HEADERS = { 'content-type': 'application/x-protobuf' };

type Value = string | number | boolean | readonly string[];
function anyValue(value: Value): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value !== 'number') return { arrayValue: { values: value.map(anyValue) } };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
export const attributesOf = (values: Readonly<Record<string, Value>>): object[] =>
  Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));

export function spans(...members: object[]): object {
  const whole = members.map((one) => ({
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    startTimeUnixNano: START_NS,
    endTimeUnixNano: END_NS,
    ...one,
  }));
  const resource = {
    attributes: attributesOf({
      'service.name': 'cart',
      'service.instance.id': 'cart-1',
      'host.name': 'node-3',
      'process.pid': 41,
    }),
  };
  const scope = { name: 'http', version: '1.2' };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: whole }] }] };
}
