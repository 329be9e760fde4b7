import { defineTable } from '../column.ts';

/**
 * How right parent links are where the traffic carries ids: the agent decides as if it did not see
 * them and compares. One row for each service and report; counts are those since the report before.
 */
export const linkCalibration = defineTable({
  database: 'flow_log',
  name: 'link_calibration',
  doc: 'Links that were decided without looking at ids, compared with what the ids say.',
  timeColumn: 'time',
  orderBy: ['app_service', 'time'],
  partition: 'day',
  retentionHours: 720,
  writer: 'sender',
  columns: {
    time: { kind: 'seconds', doc: 'When the agent reported.', codec: 'delta' },
    agent: { kind: 'category', doc: 'Name of the agent that compared.' },
    app_service: { kind: 'category', doc: 'Service that made the calls.' },
    right: { kind: 'u32', doc: 'Calls that were linked to the request that the ids name.' },
    wrong: { kind: 'u32', doc: 'Calls that were linked to another request.' },
    open: { kind: 'u32', doc: 'Calls that were left without a parent.' },
    solid_right: {
      kind: 'u32',
      doc: 'Of the right ones, those with a probability of at least 0.9.',
    },
    solid_wrong: {
      kind: 'u32',
      doc: 'Of the wrong ones, those with a probability of at least 0.9.',
    },
    ingest_time: { kind: 'micros', doc: 'When the server took the row.', origin: 'server' },
  },
});
