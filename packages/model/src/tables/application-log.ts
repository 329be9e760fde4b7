import { defineTable } from '../column.ts';
import { SEVERITY_NUMBER } from '../enums.ts';

/**
 * One row for each log record, whatever brought it: OTLP, Vector, Loki, a gateway's http-logger.
 * Names are DeepFlow's where the meaning is the same. `severity_number` is OpenTelemetry's scale (1
 * to 24), which keeps what senders say; DeepFlow's own scale has seven steps and other numbers.
 */
export const applicationLog = defineTable({
  database: 'application_log',
  name: 'log',
  doc: 'Log records, one row each.',
  timeColumn: 'time',
  orderBy: ['app_service', 'time'],
  retentionHours: 720,
  writer: 'sender',
  columns: {
    _id: { kind: 'id', doc: 'Identifies the row.' },
    time: { kind: 'seconds', doc: 'When it happened, whole seconds.' },
    timestamp: { kind: 'micros', doc: 'When it happened.', unit: 'µs', codec: 'delta' },
    timestamp_nanos: { kind: 'u16', doc: 'Nanoseconds within that microsecond, 0 to 999.' },
    observed_timestamp: {
      kind: 'micros',
      doc: 'When a collector saw it; 0 when unknown.',
      unit: 'µs',
      codec: 'delta',
    },
    _type: { kind: 'category', doc: 'user, system, audit, agent or access.' },
    receiver: { kind: 'category', doc: 'What brought it: otlp, vector, loki, http-logger.' },
    agent: { kind: 'category', doc: 'Name of the agent that received it; empty: the server.' },

    // Content.
    severity_number: { kind: 'u8', doc: "OpenTelemetry's severity.", names: SEVERITY_NUMBER },
    severity_text: { kind: 'category', doc: "The sender's own word for the severity." },
    event_name: { kind: 'category', doc: 'Kind of event, when the record is one.' },
    body: { kind: 'text', doc: 'The message; a nested one as JSON.' },
    body_type: { kind: 'category', doc: 'Type of the body, a letter as in attribute_types.' },

    // Service.
    app_service: { kind: 'category', doc: 'Service that wrote it.' },
    app_instance: { kind: 'category', doc: 'Instance of that service.' },
    host: { kind: 'category', doc: 'Host of the process that wrote it.' },
    container_id: { kind: 'category', doc: 'Container of that process, 64 hex digits.' },

    // Tracing.
    trace_id: { kind: 'text', doc: 'Trace id, hex.', index: 'bloom' },
    span_id: { kind: 'text', doc: 'Span id, hex.' },
    trace_flags: { kind: 'u8', doc: 'W3C trace flags.' },
    x_request_id: { kind: 'text', doc: 'X-Request-ID of the request it is about.', index: 'bloom' },

    // Free attributes.
    attribute_names: { kind: 'categories', doc: 'Names of the attributes.' },
    attribute_values: { kind: 'texts', doc: 'Values of the attributes.' },
    attribute_types: {
      kind: 'category',
      doc: 'A letter each: s text, i integer, d double, b boolean, x bytes (base64), j JSON, e empty.',
    },
    resource_attributes: { kind: 'category', doc: 'Attributes of the resource, a JSON object.' },
    scope: { kind: 'category', doc: 'Instrumentation scope, a JSON object.' },

    // Filled by the server.
    ingest_time: { kind: 'micros', doc: 'When the server took the row.', origin: 'server' },
  },
});
