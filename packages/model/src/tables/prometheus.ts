import { defineTable } from '../column.ts';

/** As DeepFlow keeps them: a week. */
const RETENTION_HOURS = 168;
/** What the other tables describe. */
const DESCRIBED = ['samples', 'histograms', 'exemplars'] as const;

/**
 * Label sets. A sender writes a series' row when it first sees it, again each hour while samples
 * come, and after a restart: rows with equal `id` are one series.
 */
export const prometheusSeries = defineTable({
  database: 'prometheus',
  name: 'series',
  doc: 'Label sets of Prometheus series; a row for each hour in which samples came.',
  timeColumn: 'time',
  orderBy: ['metric', 'id', 'time'],
  retentionHours: RETENTION_HOURS,
  retentionFollows: DESCRIBED,
  writer: 'sender',
  columns: {
    time: { kind: 'seconds', doc: 'Time of the first sample in that hour.', codec: 'delta' },
    id: { kind: 'id', doc: 'Hash of the sorted label set: the same wherever it is computed.' },
    metric: { kind: 'category', doc: 'The label `__name__`.' },
    label_names: { kind: 'texts', doc: 'Names of the other labels, sorted.' },
    label_values: { kind: 'texts', doc: 'Their values.' },
  },
});

/** Equal `(id, ts)` may stand in several rows, when a sender sent again: they are one sample. */
export const prometheusSamples = defineTable({
  database: 'prometheus',
  name: 'samples',
  doc: 'Float samples of Prometheus series.',
  timeColumn: 'ts',
  orderBy: ['id', 'ts'],
  retentionHours: RETENTION_HOURS,
  writer: 'sender',
  columns: {
    id: { kind: 'id', doc: 'The series.', codec: 'delta' },
    ts: { kind: 'millis', doc: "The sample's time.", codec: 'double-delta' },
    value: {
      kind: 'f64',
      doc: 'The value; a stale marker is a NaN of its own, bit by bit.',
      codec: 'gorilla',
    },
  },
});

export const prometheusHistograms = defineTable({
  database: 'prometheus',
  name: 'histograms',
  doc: 'Samples that are native histograms.',
  timeColumn: 'ts',
  orderBy: ['id', 'ts'],
  retentionHours: RETENTION_HOURS,
  writer: 'sender',
  columns: {
    id: { kind: 'id', doc: 'The series.', codec: 'delta' },
    ts: { kind: 'millis', doc: "The sample's time.", codec: 'double-delta' },
    histogram: {
      kind: 'bytes',
      doc: 'The message prometheus.Histogram of remote write 1.0, without loss.',
    },
  },
});

export const prometheusExemplars = defineTable({
  database: 'prometheus',
  name: 'exemplars',
  doc: 'Exemplars: single events, mostly with a trace id, that a sample counts.',
  timeColumn: 'ts',
  orderBy: ['id', 'ts'],
  retentionHours: RETENTION_HOURS,
  writer: 'sender',
  columns: {
    id: { kind: 'id', doc: 'The series.' },
    ts: { kind: 'millis', doc: "The exemplar's time.", codec: 'delta' },
    value: { kind: 'f64', doc: 'The value.' },
    label_names: { kind: 'texts', doc: 'Names of its own labels, such as `trace_id`.' },
    label_values: { kind: 'texts', doc: 'Their values.' },
  },
});

export const prometheusMetadata = defineTable({
  database: 'prometheus',
  name: 'metadata',
  doc: 'What senders say of their metrics.',
  timeColumn: 'time',
  orderBy: ['metric', 'time'],
  retentionHours: RETENTION_HOURS,
  retentionFollows: DESCRIBED,
  writer: 'sender',
  columns: {
    time: { kind: 'seconds', doc: 'When it was said.', codec: 'delta' },
    metric: { kind: 'category', doc: 'Name of the metric (of its family).' },
    type: { kind: 'category', doc: 'counter, gauge, histogram, …' },
    help: { kind: 'text', doc: 'A sentence.' },
    unit: { kind: 'category', doc: 'Such as `seconds`; mostly empty.' },
  },
});
