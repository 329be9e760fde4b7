import {
  l7FlowLog,
  SESSION_BOTH,
  SIGNAL_SOURCE_OTEL,
  type SinksOf,
  TRANSPORT_TCP,
} from '@thalweg/model';
import {
  createSpan,
  microsOf,
  type OtlpScope,
  type OtlpSpan,
  type ProtoCursor,
  type Range,
  readRecords,
  readSpan,
} from '@thalweg/wire';
import type { OpenRows } from '../buffer/open-rows.ts';
import { timeWindow } from '../buffer/telemetry-buffer.ts';
import type { HoursOf } from '../retention-hours.ts';
import type { RowIds } from '../row-ids.ts';
import { createAttributes, type Extra } from './attributes.ts';
import { decodeText } from './decode-text.ts';
import { type Outcome, TIME_REASON } from './outcome.ts';
import { type ResourceFacts, readResource, scopeJson } from './resource.ts';
import { createSpanFacts, isClientKind, readFacts } from './span-facts.ts';
import { createSpanLists } from './span-lists.ts';

type L7Columns = SinksOf<typeof l7FlowLog.columns>;

export interface TraceWriterOptions {
  readonly ids: RowIds;
  readonly agent: string;
  /** 32 random bits of this run. */
  readonly seed: number;
  readonly now: () => number;
  readonly hoursOf: HoursOf;
}

/** Writes the spans of an ExportTraceServiceRequest as rows of `l7_flow_log`. */
export type TraceWriter = (bytes: Uint8Array, rows: OpenRows) => Outcome;

const NONE: readonly never[] = [];
const KIND_SERVER = 2;
const KIND_CONSUMER = 5;
const KIND_MAX = 5;

/** OpenTelemetry's ids are binary, shown in hex. Other tracers' are texts: their bytes stay. */
export type IdForm = 'hex' | 'text';

/** One writer serves all requests, one after the other: what it reuses is not shared further. */
export function createTraceWriter(
  options: TraceWriterOptions,
  idForm: IdForm = 'hex',
): TraceWriter {
  const span = createSpan();
  const attributes = createAttributes(options.seed);
  const facts = createSpanFacts();
  const lists = createSpanLists();
  let cursor: ProtoCursor;
  let resource: ResourceFacts;
  let scope = '';
  let startUs = 0;
  let endUs = 0;

  function writeId(to: L7Columns['trace_id'], bytes: Uint8Array, { from, to: end }: Range): void {
    if (idForm === 'hex') to.pushHex(bytes, from, end);
    else to.pushUtf8(bytes, from, end);
  }

  function writeRow(to: L7Columns): void {
    const { bytes } = cursor;
    const kind = span.kind <= KIND_MAX ? span.kind : 0;
    const isClient = isClientKind(kind);
    const isServer = kind === KIND_SERVER || kind === KIND_CONSUMER;
    attributes.open(cursor, span.attributes);
    readFacts(facts, attributes, kind, span.statusCode);
    const events = lists.events(cursor, span);
    const links = lists.links(cursor, span);
    const message = decodeText(bytes, span.statusMessage.from, span.statusMessage.to);
    const exception = lists.exception(cursor, span);

    options.ids.pushTo(to._id);
    to.time.push(Math.floor(endUs / 1e6));
    to.start_time.push(startUs);
    to.end_time.push(endUs);
    to.flow_id.pushNumber(0);
    to.signal_source.push(SIGNAL_SOURCE_OTEL);
    to.agent.push(options.agent);
    to.observation_point.push(isClient ? 'c-app' : isServer ? 's-app' : 'app');
    to.type.push(SESSION_BOTH);
    to.host.push(resource.host);
    to.container_id.push(resource.containerId);
    to.netns.push(0);
    to.capture_nic_name.push('');
    to.vlan.push(0);
    to.ip_0.push(facts.clientIp);
    to.ip_1.push(facts.serverIp);
    to.client_port.push(facts.clientPort);
    to.server_port.push(facts.serverPort);
    to.protocol.push(TRANSPORT_TCP);
    to.req_tcp_seq.push(0);
    to.resp_tcp_seq.push(0);
    to.l7_protocol.push(facts.protocol);
    to.version.push(facts.version);
    to.is_tls.push(facts.isTls ? 1 : 0);
    to.is_async.push(kind > 3 ? 1 : 0);
    to.request_type.push(facts.type);
    to.request_domain.push(facts.domain);
    to.request_resource.push(facts.resource);
    to.request_id.pushNumber(0);
    to.endpoint.push(decodeText(bytes, span.name.from, span.name.to));
    to.response_status.push(facts.status);
    to.response_code.push(facts.code);
    to.response_exception.push(exception === '' ? message : exception);
    to.response_result.push('');
    to.app_service.push(resource.service);
    to.app_instance.push(resource.instance);
    to.process_id_0.push(isServer ? 0 : resource.pid);
    to.process_id_1.push(isServer ? resource.pid : 0);
    to.process_kname_0.push(isServer ? '' : resource.processName);
    to.process_kname_1.push(isServer ? resource.processName : '');
    writeId(to.trace_id, bytes, span.traceId);
    writeId(to.span_id, bytes, span.spanId);
    writeId(to.parent_span_id, bytes, span.parentSpanId);
    to.trace_state.push(decodeText(bytes, span.traceState.from, span.traceState.to));
    to.span_kind.push(kind);
    to.span_status.push(span.statusCode);
    to.x_request_id_0.push(facts.requestId);
    to.x_request_id_1.push('');
    to.http_proxy_client.push(facts.clientName);
    to.syscall_trace_id_request.pushNumber(0);
    to.syscall_trace_id_response.pushNumber(0);
    to.syscall_thread_0.push(0);
    to.syscall_thread_1.push(0);
    const description = exception === '' || exception === message ? '' : message;
    const extras = extrasOf(span, description, events.dropped, links.dropped);
    attributes.writeTo(to, extras, span.droppedAttributes);
    to.resource_attributes.push(resource.json);
    to.scope.push(scope);
    to.events.push(events.json);
    to.links.push(links.json);
    to.request_length.pushNumber(facts.requestSize);
    to.response_length.pushNumber(facts.responseSize);
    to.captured_request_byte.push(0);
    to.captured_response_byte.push(0);
    to.response_duration.pushNumber(endUs - startUs);
    to.retrans_tx.push(0);
    to.retrans_rx.push(0);
    to.zero_win_tx.push(0);
    to.zero_win_rx.push(0);
    to.wire_id.pushNumber(0);
    to.parent_wire_id.pushNumber(0);
    to.link_probability.push(0);
    to.link_evidence.push(0);
    to.candidate_wire_ids.push(NONE);
    to.candidate_probabilities.push(NONE);
    to.is_lossy.push(0);
  }

  return (bytes, rows) => {
    const { firstS, lastS } = timeWindow(options.hoursOf(l7FlowLog), options.now());
    let kept = 0;
    let rejected = 0;
    const malformed = readRecords(bytes, {
      resource: (list, at) => {
        cursor = at;
        resource = readResource(list, at);
      },
      scope: (found: OtlpScope, at) => {
        scope = scopeJson(found, at);
      },
      item: (at) => {
        readSpan(at, span);
        if (at.fault !== '') return;
        startUs = microsOf(span.start);
        endUs = Math.max(startUs, microsOf(span.end));
        const isIn = endUs / 1e6 >= firstS && endUs / 1e6 <= lastS && startUs > 0;
        if (!isIn) {
          rejected += 1;
          return;
        }
        rows.of(l7FlowLog).add(writeRow);
        kept += 1;
      },
    });
    return { malformed, rows: kept, rejected, reason: rejected === 0 ? '' : TIME_REASON };
  };
}

const NO_EXTRAS: readonly Extra[] = [];

/** What has no column and no attribute of its own. Names: OpenTelemetry, "Mapping to non-OTLP Formats". */
function extrasOf(
  span: OtlpSpan,
  description: string,
  eventsLeft: number,
  linksLeft: number,
): readonly Extra[] {
  const droppedEvents = span.droppedEvents + eventsLeft;
  const droppedLinks = span.droppedLinks + linksLeft;
  if (droppedEvents + droppedLinks === 0 && description === '') return NO_EXTRAS;
  const counts: [string, number][] = [
    ['otel.dropped_events_count', droppedEvents],
    ['otel.dropped_links_count', droppedLinks],
  ];
  const extras: Extra[] = counts
    .filter(([, count]) => count > 0)
    .map(([name, count]) => ({ name, value: String(count), type: 'i' }));
  if (description !== '') {
    extras.push({ name: 'otel.status_description', value: description, type: 's' });
  }
  return extras;
}
