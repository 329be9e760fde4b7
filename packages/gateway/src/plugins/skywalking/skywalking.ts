import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { PluginConf } from '../../core/objects.ts';
import type { RequestContext } from '../../core/request-context.ts';
import { definePlugin } from '../plugin.ts';
import {
  createSegmentReporter,
  type SegmentReporter,
  type SkyWalkingSettings,
} from './segment-reporter.ts';
import { readSw8, type SegmentReference, sw8 } from './sw8.ts';

interface SkyWalking {
  readonly sample_ratio: number;
}

/** The segment of one request: its own id is that of the trace when nobody began one before. */
interface Segment {
  readonly traceId: string;
  readonly segmentId: string;
  readonly reference: SegmentReference | undefined;
}

/** SkyWalking's number for the nginx agent: its UI draws the gateway by it. */
const COMPONENT = 6_002;

/** Makes a segment of each request, propagates it in `sw8` and reports it to SkyWalking. */
export const skywalking = definePlugin<SkyWalking>({
  name: 'skywalking',
  priority: 12010,
  observes: true,
  summary: 'Sends a segment of each request to Apache SkyWalking, with the sw8 header.',
  prefersRoute: true,
  schema: {
    type: 'object',
    properties: {
      sample_ratio: { type: 'number', minimum: 0.000_01, maximum: 1, default: 1 },
    },
  },
  create({ sample_ratio }, environment) {
    const state = Symbol('segment');
    const settings = settingsOf(environment.attributes);
    const reporter: SegmentReporter = environment.lasting(() =>
      createSegmentReporter(settings, environment),
    );
    reporter.open();
    return {
      rewrite(context) {
        if (sample_ratio < 1 && Math.random() >= sample_ratio) return undefined;
        const reference = readSw8(context.headers.get('sw8'));
        const segmentId = randomUUID();
        const traceId = reference?.traceId ?? segmentId;
        context.setSlot(state, { traceId, segmentId, reference });
        context.headers.set(
          'sw8',
          sw8({
            traceId,
            parentTraceSegmentId: segmentId,
            parentSpanId: 1,
            parentService: settings.service,
            parentServiceInstance: settings.serviceInstance,
            parentEndpoint: context.path,
            networkAddressUsedAtPeer: 'upstream service',
          }),
        );
        return undefined;
      },
      log(context) {
        const segment = context.slot<Segment>(state);
        if (segment === undefined) return;
        const report = segmentObject(context, segment, settings);
        reporter.push(report, context.route?.id ?? '', context.peer.localAddress);
      },
      close: () => reporter.close(),
    };
  },
});

/** `plugin_attr.skywalking`; `$hostname` stands for the machine. */
function settingsOf(attributes: PluginConf): SkyWalkingSettings {
  const text = (key: string, fallback: string): string => {
    const given = attributes[key];
    return typeof given === 'string' && given !== '' ? given : fallback;
  };
  const interval = attributes['report_interval'];
  const instance = text('service_instance_name', 'APISIX Instance Name');
  return {
    service: text('service_name', 'APISIX'),
    serviceInstance: instance === '$hostname' ? hostname() : instance,
    address: text('endpoint_addr', 'http://127.0.0.1:12800').replace(/\/+$/, ''),
    reportMs: (typeof interval === 'number' && interval > 0 ? interval : 3) * 1_000,
  };
}

/** Source: SkyWalking's `SegmentObject`, as `/v3/segments` takes it. Times in ms. */
function segmentObject(
  context: RequestContext,
  { traceId, segmentId, reference }: Segment,
  { service, serviceInstance }: SkyWalkingSettings,
): object {
  const status = context.response?.status ?? 0;
  const scheme = context.peer.isTls ? 'https' : 'http';
  const base = { operationName: context.path, componentId: COMPONENT, spanLayer: 'Http' };
  const [first] = context.tries;
  const last = context.tries.at(-1);
  const exit =
    first === undefined || last === undefined
      ? []
      : [
          {
            ...base,
            spanId: 1,
            parentSpanId: 0,
            spanType: 'Exit',
            peer: last.node.key,
            startTime: Math.floor(first.startMs),
            endTime: Math.floor(last.endMs || context.endMs),
            isError: (last.status ?? 502) >= 500,
            tags: [{ key: 'http.status_code', value: String(last.status ?? '') }],
          },
        ];
  const entry = {
    ...base,
    spanId: 0,
    parentSpanId: -1,
    spanType: 'Entry',
    startTime: Math.floor(context.startMs),
    endTime: Math.floor(context.endMs),
    isError: status >= 500,
    tags: [
      { key: 'http.method', value: context.head.method },
      { key: 'http.params', value: `${scheme}://${context.host}${context.head.target}` },
      { key: 'http.status_code', value: String(status) },
    ],
    ...(reference === undefined ? {} : { refs: [reference] }),
  };
  return { traceId, traceSegmentId: segmentId, service, serviceInstance, spans: [...exit, entry] };
}
