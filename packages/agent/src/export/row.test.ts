import { columnsFrom, createBatch, l7FlowLog, readBlock, valuesOf } from '@thalweg/model';
import { expect, it } from 'vitest';
import type { Connection, Exchange, RequestPart, ResponsePart } from '../flow/exchange.ts';
import { createAttributeNames } from './attribute-names.ts';
import { createQueryMask } from './query-mask.ts';
import { CONNECTION_COLUMNS, writeConnection, writeExchange } from './row.ts';

const span = {
  startNs: 5e9,
  endNs: 5e9 + 1e6,
  sequence: 11,
  answerSequence: 22,
  tid: 71,
  turnId: 0,
  causeId: 2 ** 40 + 3,
  causeKind: 1,
  size: 80,
  captured: 80,
  bodySize: 0,
};
const request: RequestPart = {
  ...span,
  method: 'GET',
  path: '/orders/7/lines?full=1&token=t0p',
  host: 'shop.test',
  version: '1.1',
  contentLength: undefined,
  trace: undefined,
  requestId: 'r-1',
  forwardedFor: '',
  answeredBeforeNs: -Infinity,
  note: undefined,
  headers: [['user-agent', 'curl']],
};
const response: ResponsePart = {
  ...span,
  startNs: 5e9 + 2e6,
  endNs: 5e9 + 3e6,
  sequence: 22,
  turnId: 2 ** 41 + 1,
  bodySize: 2 ** 33 + 5,
  outcome: 'server-error',
  status: 503,
  reason: 'Service Unavailable',
  result: '',
  version: '1.1',
  contentLength: undefined,
  trace: undefined,
  requestId: '',
  headers: [],
};

function writtenRow(role: 'client' | 'server', kind: Exchange['kind'] = 'session') {
  const batch = createBatch(l7FlowLog, CONNECTION_COLUMNS);
  const connection: Connection = {
    id: 2 ** 33 + 9,
    protocol: 'http1',
    role,
    pid: 70,
    comm: 'nginx',
    netns: 4,
    isUnix: false,
    localIp: '10.0.0.1',
    localPort: 4_000,
    remoteIp: '10.0.0.2',
    remotePort: 80,
  };
  const exchange: Exchange = {
    connection,
    kind,
    request: kind === 'response' ? undefined : request,
    response: kind === 'request' ? undefined : response,
    isLossy: true,
  };
  const traced = {
    exchange,
    wireId: 2n ** 63n + 1n,
    parentWireId: 8n,
    probability: 0.75,
    evidence: 1,
    candidates: [{ wireId: 9n, probability: 0.25 }],
  };
  const process = {
    kname: 'nginx',
    service: 'gateway',
    containerId: '',
    instance: 'edge:70',
    host: 'edge',
  };
  const share = batch.share((columns) => writeConnection(columns, connection, process, 'a'));
  batch.add(
    (columns) =>
      writeExchange(columns, traced, {
        wallClockOffsetNs: 1e18,
        idLow: 3,
        idHigh: 0,
        maskQuery: createQueryMask(),
        attributeNames: createAttributeNames(),
      }),
    share,
  );
  const read = readBlock(l7FlowLog, batch.encode(), { columns: 'agent' });
  if (read.kind !== 'block') throw new Error(`the batch is not readable: ${JSON.stringify(read)}`);
  return Object.fromEntries(
    columnsFrom(l7FlowLog.columns, 'agent').map((name) => [name, valuesOf(read.block, name)[0]]),
  );
}

it('writes every column of a call, its own end being the client', () => {
  const row = writtenRow('client');
  expect(row).toMatchObject({
    _id: 3n,
    flow_id: 2n ** 33n + 9n,
    observation_point: 'c-p',
    ip_0: '10.0.0.1',
    server_port: 80,
    process_id_0: 70,
    process_id_1: 0,
    app_instance: 'edge:70',
    endpoint: '/orders/7',
    request_resource: '/orders/7/lines?full=1&token=[redacted]',
    response_code: 503,
    response_exception: 'Service Unavailable',
    syscall_trace_id_request: 2n ** 40n + 3n,
    syscall_trace_id_response: 2n ** 41n + 1n,
    response_length: 2n ** 33n + 5n,
    response_duration: 3_000n,
    attribute_names: ['http.request.header.user-agent'],
    attribute_values: ['curl'],
    wire_id: 2n ** 63n + 1n,
    candidate_wire_ids: [9n],
    candidate_probabilities: [0.25],
    is_lossy: 1,
  });
});

it('turns the ends for a server and leaves out what was not seen', () => {
  const row = writtenRow('server', 'request');
  expect(row).toMatchObject({
    observation_point: 's-p',
    ip_0: '10.0.0.2',
    client_port: 80,
    process_id_0: 0,
    process_kname_1: 'nginx',
    resp_tcp_seq: 0,
    response_code: 0,
    type: 0,
  });
});
