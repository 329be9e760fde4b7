import {
  l7FlowLog,
  SESSION_BOTH,
  type Shareable,
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

/** What the spans of one kind, resource and scope have in common: written once for all of them. */
const SHARED_COLUMNS = [
  'flow_id',
  'signal_source',
  'agent',
  'observation_point',
  'type',
  'host',
  'container_id',
  'netns',
  'capture_nic_name',
  'vlan',
  'protocol',
  'req_tcp_seq',
  'resp_tcp_seq',
  'is_async',
  'request_id',
  'app_service',
  'app_instance',
  'process_id_0',
  'process_id_1',
  'process_kname_0',
  'process_kname_1',
  'span_kind',
  'syscall_trace_id_request',
  'syscall_trace_id_response',
  'syscall_thread_0',
  'syscall_thread_1',
  'resource_attributes',
  'scope',
  'captured_request_byte',
  'captured_response_byte',
  'retrans_tx',
  'retrans_rx',
  'zero_win_tx',
  'zero_win_rx',
  'wire_id',
  'parent_wire_id',
  'link_probability',
  'link_evidence',
  'is_lossy',
] as const satisfies readonly Shareable<typeof l7FlowLog.columns>[];
type SharedColumn = (typeof SHARED_COLUMNS)[number];

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

/** What `share` answered, by the span's kind. */
interface Shares {
  /** They are of this batch only. */
  readonly batch: unknown;
  readonly ofKind: number[];
}
const NO_SHARES: Shares = { batch: undefined, ofKind: [] };

const kindOf = ({ kind }: OtlpSpan): number => (kind <= KIND_MAX ? kind : 0);
const isServerKind = (kind: number): boolean => kind === KIND_SERVER || kind === KIND_CONSUMER;

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
  let shares = NO_SHARES;

  function writeId(to: L7Columns['trace_id'], bytes: Uint8Array, { from, to: end }: Range): void {
    if (idForm === 'hex') to.pushHex(bytes, from, end);
    else to.pushUtf8(bytes, from, end);
  }

  /** Of the resource, the scope and the kind of `span`. */
  function writeShare(to: Pick<L7Columns, SharedColumn>): void {
    const kind = kindOf(span);
    const isClient = isClientKind(kind);
    const isServer = isServerKind(kind);
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
    to.protocol.push(TRANSPORT_TCP);
    to.req_tcp_seq.push(0);
    to.resp_tcp_seq.push(0);
    to.is_async.push(kind > 3 ? 1 : 0);
    to.request_id.pushNumber(0);
    to.app_service.push(resource.service);
    to.app_instance.push(resource.instance);
    to.process_id_0.push(isServer ? 0 : resource.pid);
    to.process_id_1.push(isServer ? resource.pid : 0);
    to.process_kname_0.push(isServer ? '' : resource.processName);
    to.process_kname_1.push(isServer ? resource.processName : '');
    to.span_kind.push(kind);
    to.syscall_trace_id_request.pushNumber(0);
    to.syscall_trace_id_response.pushNumber(0);
    to.syscall_thread_0.push(0);
    to.syscall_thread_1.push(0);
    to.resource_attributes.push(resource.json);
    to.scope.push(scope);
    to.captured_request_byte.push(0);
    to.captured_response_byte.push(0);
    to.retrans_tx.push(0);
    to.retrans_rx.push(0);
    to.zero_win_tx.push(0);
    to.zero_win_rx.push(0);
    to.wire_id.pushNumber(0);
    to.parent_wire_id.pushNumber(0);
    to.link_probability.push(0);
    to.link_evidence.push(0);
    to.is_lossy.push(0);
  }

  function writeRow(to: Omit<L7Columns, SharedColumn>): void {
    const { bytes } = cursor;
    const kind = kindOf(span);
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
    to.ip_0.push(facts.clientIp);
    to.ip_1.push(facts.serverIp);
    to.client_port.push(facts.clientPort);
    to.server_port.push(facts.serverPort);
    to.l7_protocol.push(facts.protocol);
    to.version.push(facts.version);
    to.is_tls.push(facts.isTls ? 1 : 0);
    to.request_type.push(facts.type);
    to.request_domain.push(facts.domain);
    to.request_resource.push(facts.resource);
    to.endpoint.push(decodeText(bytes, span.name.from, span.name.to));
    to.response_status.push(facts.status);
    to.response_code.push(facts.code);
    to.response_exception.push(exception === '' ? message : exception);
    to.response_result.push('');
    writeId(to.trace_id, bytes, span.traceId);
    writeId(to.span_id, bytes, span.spanId);
    writeId(to.parent_span_id, bytes, span.parentSpanId);
    to.trace_state.push(decodeText(bytes, span.traceState.from, span.traceState.to));
    to.span_status.push(span.statusCode);
    to.x_request_id_0.push(facts.requestId);
    to.x_request_id_1.push('');
    to.http_proxy_client.push(facts.clientName);
    const description = exception === '' || exception === message ? '' : message;
    const extras = extrasOf(span, description, events.dropped, links.dropped);
    attributes.writeTo(to, extras, span.droppedAttributes);
    to.events.push(events.json);
    to.links.push(links.json);
    to.request_length.pushNumber(facts.requestSize);
    to.response_length.pushNumber(facts.responseSize);
    to.response_duration.pushNumber(endUs - startUs);
    to.candidate_wire_ids.push(NONE);
    to.candidate_probabilities.push(NONE);
  }

  return (bytes, rows) => {
    const { firstS, lastS } = timeWindow(options.hoursOf(l7FlowLog), options.now());
    let kept = 0;
    let rejected = 0;
    shares = NO_SHARES;
    const malformed = readRecords(bytes, {
      resource: (list, at) => {
        cursor = at;
        resource = readResource(list, at);
        shares = NO_SHARES;
      },
      scope: (found: OtlpScope, at) => {
        scope = scopeJson(found, at);
        shares = NO_SHARES;
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
        const batch = rows.of(l7FlowLog, SHARED_COLUMNS);
        if (batch !== shares.batch) shares = { batch, ofKind: [] };
        const share = shares.ofKind[kindOf(span)] ?? batch.share(writeShare);
        shares.ofKind[kindOf(span)] = share;
        batch.add(writeRow, share);
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
