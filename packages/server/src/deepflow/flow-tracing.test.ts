import type { Span } from '@thalweg/model';
import { expect, test } from 'vitest';
import { flowTracing } from './flow-tracing.ts';

const span = (spanId: string, parentId: string | null, startUs: number, endUs: number): Span => ({
  spanId,
  parentId,
  wireId: '0',
  signal: 'S',
  observationPoint: 's-p',
  service: `service-${spanId}`,
  processName: '',
  pid: 0,
  hostName: '',
  startUs,
  endUs,
  protocol: 'HTTP',
  method: 'GET',
  host: '',
  path: '/',
  endpoint: '/',
  status: 200,
  isError: false,
  isAnswered: true,
  isLossy: false,
  link: parentId === null ? null : { probability: 1, evidence: ['wire'], candidates: [] },
  fields: {},
});

test('self time leaves out what children cover, once, and only inside the span', () => {
  const spans = [
    span('1', null, 0, 100),
    span('2', '1', 10, 40),
    span('3', '1', 30, 50),
    span('4', '1', 90, 130),
  ];
  const trace = {
    traceId: '1',
    startUs: 0,
    endUs: 130,
    spans,
    isTruncated: false,
    expectedWrongLinks: 0,
  };
  const { tracing, services } = flowTracing(trace);
  expect(tracing).toMatchObject([
    { id: 0, parent_id: -1, childs: [1, 2, 3], selftime: 50, related_ids: [] },
    { id: 1, parent_id: 0, selftime: 30, related_ids: ['0-network-1'] },
    { id: 2, parent_id: 0, selftime: 20 },
    { id: 3, parent_id: 0, selftime: 40 },
  ]);
  expect(services[0]).toMatchObject({
    service_uname: 'service-1',
    duration: 50,
    duration_ratio: '35.71',
  });
});
