import { type Column, defineTable } from '../column.ts';
import {
  L7_PROTOCOL,
  LINK_EVIDENCE,
  RESPONSE_STATUS,
  SESSION_TYPE,
  SIGNAL_SOURCE,
  SPAN_KIND,
  SPAN_STATUS,
  TRANSPORT_PROTOCOL,
} from '../enums.ts';

/** A column that exists for the client's end (`_0`) and for the server's end (`_1`). */
function ends<Name extends string>(
  name: Name,
  column: Column,
): Record<`${Name}_0` | `${Name}_1`, Column> {
  const at = (end: string): Column => ({ ...column, doc: `${column.doc}, at the ${end}'s end.` });
  return { [`${name}_0`]: at('client'), [`${name}_1`]: at('server') } as Record<
    `${Name}_0` | `${Name}_1`,
    Column
  >;
}

/**
 * Seconds of rows that lie together. Shorter: traces are cut more often and their ids compress
 * worse. Longer: a look-up by id, which finds the interval first, reads more of it.
 */
export const TRACE_INTERVAL_S = 10;

/**
 * One row for each request/response pair at each point that observed it. Names and numbers are
 * DeepFlow's where the meaning is the same; what follows `wire_id` is ours.
 */
export const l7FlowLog = defineTable({
  database: 'flow_log',
  name: 'l7_flow_log',
  doc: 'Requests and responses, one row for each observation point.',
  timeColumn: 'time',
  orderBy: ['root_hash', 'start_time'],
  orderBySeconds: TRACE_INTERVAL_S,
  isReadByRows: true,
  retentionHours: 72,
  writer: 'sender',
  columns: {
    // Identity.
    _id: { kind: 'id', doc: 'Identifies the row (and the span).', index: 'runs', codec: 'delta' },
    time: { kind: 'seconds', doc: 'End of the exchange.', codec: 'delta' },
    start_time: { kind: 'micros', doc: "The request's first byte.", unit: 'µs', codec: 'delta' },
    end_time: { kind: 'micros', doc: "The response's last byte.", unit: 'µs', codec: 'delta' },
    flow_id: { kind: 'id', doc: 'Identifies the connection as this observer saw it.' },
    signal_source: { kind: 'u8', doc: 'What produced the row.', names: SIGNAL_SOURCE },
    agent: { kind: 'category', doc: 'Name of the agent that observed it.' },
    observation_point: { kind: 'category', doc: 'Where between client and server: c-p, s-p, ….' },
    type: { kind: 'u8', doc: 'Which halves were seen.', names: SESSION_TYPE },
    host: { kind: 'category', doc: 'Host (or network namespace) of the observed process.' },
    container_id: { kind: 'category', doc: 'Container of the observed process, 64 hex digits.' },
    netns: { kind: 'u32', doc: 'Network namespace of the socket, its inode number.' },

    // Network.
    ...ends('ip', { kind: 'category', doc: 'IP address' }),
    client_port: { kind: 'u16', doc: "The client's port." },
    server_port: { kind: 'u16', doc: "The server's port." },
    protocol: { kind: 'u8', doc: 'Transport protocol.', names: TRANSPORT_PROTOCOL },
    // Both ends of an exchange are neighbours: the second difference is 0.
    req_tcp_seq: {
      kind: 'u32',
      doc: "Sequence number of the request's first byte.",
      codec: 'delta',
    },
    resp_tcp_seq: {
      kind: 'u32',
      doc: "Sequence number of the response's first byte.",
      codec: 'delta',
    },

    capture_nic_name: { kind: 'category', doc: 'Network interface that saw it; empty: a process.' },
    vlan: { kind: 'u16', doc: 'VLAN id that the interface saw; 0: none.' },

    // Application.
    l7_protocol: { kind: 'u8', doc: 'Application protocol.', names: L7_PROTOCOL },
    version: { kind: 'category', doc: 'Version of the protocol, such as 1.1.' },
    is_tls: { kind: 'u8', doc: '1 when the exchange was encrypted on the wire.' },
    is_async: { kind: 'u8', doc: '1 when the client did not wait for the answer.' },
    request_type: { kind: 'category', doc: 'The verb: GET, SELECT, ….' },
    request_domain: { kind: 'category', doc: 'Whom it was addressed to: the Host.' },
    request_resource: { kind: 'text', doc: 'Path and query, key or statement.' },
    request_id: { kind: 'id', doc: "The protocol's own id that pairs request and response." },
    endpoint: { kind: 'category', doc: 'The low-cardinality route.' },
    response_status: { kind: 'u8', doc: 'Outcome.', names: RESPONSE_STATUS },
    response_code: { kind: 'i32', doc: "The protocol's code; 0 when there was no response." },
    response_exception: { kind: 'category', doc: "The error's text." },
    response_result: { kind: 'text', doc: 'A short form of the answer.' },

    // Service.
    app_service: { kind: 'category', doc: 'Service of the observed process.' },
    app_instance: { kind: 'category', doc: 'Instance of that service.' },
    ...ends('process_id', { kind: 'u32', doc: 'Process id on the host' }),
    ...ends('process_kname', { kind: 'category', doc: "The kernel's name of the process" }),

    // Tracing.
    trace_id: { kind: 'text', doc: 'Trace id that the traffic carried, hex.', index: 'bloom' },
    span_id: { kind: 'text', doc: 'Span id that the traffic carried, hex.' },
    parent_span_id: { kind: 'text', doc: 'Parent span id, when the sender named one.' },
    trace_state: { kind: 'category', doc: "W3C tracestate that the span's sender named." },
    span_kind: { kind: 'u8', doc: 'OpenTelemetry span kind.', names: SPAN_KIND },
    span_status: { kind: 'u8', doc: 'OpenTelemetry span status.', names: SPAN_STATUS },
    x_request_id_0: { kind: 'text', doc: 'X-Request-ID of the request.', index: 'bloom' },
    x_request_id_1: { kind: 'text', doc: 'X-Request-ID of the response.', index: 'bloom' },
    http_proxy_client: { kind: 'category', doc: 'The client that X-Forwarded-For names.' },
    syscall_trace_id_request: { kind: 'id', doc: 'Cause that the thread had at the request.' },
    syscall_trace_id_response: { kind: 'id', doc: 'Cause that the thread had at the response.' },
    ...ends('syscall_thread', { kind: 'u32', doc: 'Thread that moved the bytes' }),

    // Free attributes, such as allowed headers (`http.request.header.accept`).
    attribute_names: { kind: 'categories', doc: 'Names of the attributes.', codec: 'repeats' },
    attribute_values: { kind: 'texts', doc: 'Values of the attributes.', codec: 'repeats' },
    attribute_types: {
      kind: 'category',
      doc: 'A letter each: s text, i integer, d double, b boolean, x bytes (base64), j JSON, e empty. Empty: all text.',
    },
    resource_attributes: {
      kind: 'category',
      doc: 'Attributes of the resource that produced the span, a JSON object.',
    },
    scope: { kind: 'category', doc: 'Instrumentation scope of the span, a JSON object.' },
    events: { kind: 'text', doc: "The span's events, a JSON array; empty: none." },
    links: { kind: 'text', doc: "The span's links to other spans, a JSON array; empty: none." },

    // Metrics.
    request_length: { kind: 'id', doc: 'Body of the request.', unit: 'bytes' },
    response_length: { kind: 'id', doc: 'Body of the response.', unit: 'bytes' },
    captured_request_byte: { kind: 'u32', doc: 'Request bytes looked at.', unit: 'bytes' },
    captured_response_byte: { kind: 'u32', doc: 'Response bytes looked at.', unit: 'bytes' },
    response_duration: { kind: 'id', doc: 'From first to last byte.', unit: 'µs' },

    retrans_tx: { kind: 'u32', doc: 'Segments that the client sent again meanwhile.' },
    retrans_rx: { kind: 'u32', doc: 'Segments that the server sent again meanwhile.' },
    zero_win_tx: {
      kind: 'u32',
      doc: "Segments with which the client said that it can't take more.",
    },
    zero_win_rx: {
      kind: 'u32',
      doc: "Segments with which the server said that it can't take more.",
    },

    // Ours: identity on the wire, and the link to the parent.
    wire_id: {
      kind: 'id',
      doc: 'The same at every point that saw this exchange: hash of both sequence numbers.',
      codec: 'delta',
    },
    parent_wire_id: { kind: 'id', doc: 'Exchange that caused this one; 0 when unknown.' },
    link_probability: { kind: 'f32', doc: 'How sure the parent is.', unit: 'probability' },
    link_evidence: { kind: 'u16', doc: 'What speaks for the parent (bits).', names: LINK_EVIDENCE },
    candidate_wire_ids: { kind: 'ids', doc: 'Other possible parents, best first, at most 3.' },
    candidate_probabilities: { kind: 'floats', doc: 'Their probabilities.' },
    is_lossy: { kind: 'u8', doc: '1 when events of this connection were lost before the row.' },

    // Filled by the server.
    root_hash: {
      kind: 'id',
      doc: 'Trace as known at ingest; aliases join what proved to be one.',
      origin: 'server',
    },
    ingest_time: {
      kind: 'micros',
      doc: 'When the server took the row.',
      origin: 'server',
      codec: 'delta',
    },
  },
});

/** Roots that turned out to be part of another trace; at read time they are followed to the end. */
export const traceAlias = defineTable({
  database: 'flow_log',
  name: 'trace_alias',
  doc: 'Trace roots that were joined after rows had been stored under them.',
  timeColumn: 'time',
  orderBy: ['old_root_hash'],
  retentionHours: 72,
  retentionFollows: [l7FlowLog.name],
  writer: 'server',
  columns: {
    time: { kind: 'seconds', doc: 'When the two were joined.' },
    old_root_hash: { kind: 'id', doc: 'The root that is no longer one.' },
    new_root_hash: { kind: 'id', doc: 'The root that it belongs to.', index: 'bloom' },
  },
});

/** Where a trace is: the way from an id to the root and the few intervals of the rows that hold it. */
export const traceIndex = defineTable({
  database: 'flow_log',
  name: 'trace_index',
  doc: 'Intervals in which rows with an id lie, and their roots: of wire ids, roots, row ids, trace ids and request ids.',
  timeColumn: 'time',
  orderBy: ['key', 'time'],
  // Look-ups have no time: the fewer partitions, the fewer places to look.
  partition: 'day',
  retentionHours: 72,
  retentionFollows: [l7FlowLog.name],
  isDerived: true,
  writer: 'server',
  columns: {
    key: { kind: 'u32', doc: 'Hash of the id; others may share it.', codec: 'delta' },
    time: {
      kind: 'seconds',
      doc: "Start of the interval, by the rows' `time`.",
      codec: 'multiples',
    },
    root_hash: { kind: 'id', doc: 'Root under which rows with the id are stored.' },
  },
});
