import { defineTable } from '../column.ts';

const SAMPLE_RETENTION_HOURS = 72;
/**
 * A sender names a stack once in so many hours, so a stack must outlive the samples by as much.
 * Twice over: senders' clocks and ours differ, and a day is the partition's size.
 */
export const STACK_REPEAT_HOURS = 12;

/**
 * One row for each stack, label set and event of a profile. Names are DeepFlow's where the meaning is
 * the same; its `profile_location_str` stands once in `in_process_stack`, under the row's `stack_id`.
 */
export const inProcessProfile = defineTable({
  database: 'profile',
  name: 'in_process',
  doc: 'Samples of profilers: how much of an event was seen at a stack.',
  timeColumn: 'time',
  orderBy: ['app_service', 'profile_event_type', 'time'],
  retentionHours: SAMPLE_RETENTION_HOURS,
  writer: 'sender',
  columns: {
    _id: { kind: 'id', doc: 'Identifies the row.' },
    time: { kind: 'seconds', doc: 'End of the profile, whole seconds.' },
    profile_create_timestamp: {
      kind: 'micros',
      doc: 'Start of the profile.',
      unit: 'µs',
      codec: 'delta',
    },
    profile_in_timestamp: { kind: 'micros', doc: 'When it was received.', unit: 'µs' },
    profile_duration: { kind: 'id', doc: 'How long the profile ran.', unit: 'µs' },
    agent: { kind: 'category', doc: 'Name of the agent that received it; empty: the server.' },

    // What was measured.
    profile_event_type: {
      kind: 'category',
      doc: 'cpu, wall, inuse_space, …: as the profiler says.',
    },
    profile_value: { kind: 'id', doc: 'How much of the event, in profile_value_unit.' },
    profile_value_unit: { kind: 'category', doc: 'nanoseconds, samples, bytes, objects, ….' },
    profile_language_type: { kind: 'category', doc: 'Golang, Java, Node, python, ….' },
    stack_id: { kind: 'id', doc: 'The stack, in in_process_stack.' },

    // Service.
    app_service: { kind: 'category', doc: 'Service that was profiled.' },
    app_instance: { kind: 'category', doc: 'Instance of that service.' },
    process_id: { kind: 'u32', doc: 'Process id on the host; 0 when not told.' },

    // Tracing.
    trace_id: { kind: 'text', doc: 'Trace during which it was seen, hex.', index: 'bloom' },
    profile_id: { kind: 'text', doc: 'Span during which it was seen, hex.', index: 'bloom' },
    span_name: { kind: 'category', doc: 'Name of that span.' },

    tag_names: { kind: 'texts', doc: 'Names of the labels.' },
    tag_values: { kind: 'texts', doc: 'Values of the labels.' },

    // Filled by the server.
    ingest_time: { kind: 'micros', doc: 'When the server took the row.', origin: 'server' },
  },
});

/** Each stack about once, however many samples have it; read it with any of its rows. */
export const inProcessStack = defineTable({
  database: 'profile',
  name: 'in_process_stack',
  doc: 'Stacks of profiles; senders repeat one at times, so take any row of a stack_id.',
  timeColumn: 'time',
  orderBy: ['stack_id'],
  retentionHours: SAMPLE_RETENTION_HOURS + 2 * STACK_REPEAT_HOURS,
  retentionFollows: [inProcessProfile.name],
  writer: 'sender',
  columns: {
    time: { kind: 'seconds', doc: 'When the stack was named.' },
    stack_id: { kind: 'id', doc: 'Hash of the stack.' },
    profile_location_str: { kind: 'text', doc: 'Frames from the root to the leaf, joined by `;`.' },
  },
});
