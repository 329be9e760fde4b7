import { columnsFrom, createBatch, l7FlowLog, readBlock, valuesOf } from '@thalweg/model';
import { expect, test } from 'vitest';
import type { Exchange } from '../flow/exchange.ts';
import type { NetworkSpan } from '../network/network-span.ts';
import type { Turn } from '../network/turn.ts';
import { wireId } from '../trace/wire-id.ts';
import { createAttributeNames } from './attribute-names.ts';
import { writeNetworkSpan, writeView } from './network-row.ts';
import { CONNECTION_COLUMNS } from './row.ts';

const request: Turn = {
  flowId: 9,
  direction: 2,
  clientDirection: 2,
  sequence: 100,
  bytes: 30,
  firstNs: 5e9,
  lastNs: 5e9 + 1e6,
  vlan: 7,
  retransmissions: { ingress: 1, egress: 2 },
  zeroWindows: { ingress: 4, egress: 0 },
};
const response: Turn = {
  ...request,
  direction: 1,
  sequence: 500,
  bytes: 60,
  firstNs: 5e9 + 2e6,
  lastNs: 5e9 + 3e6,
  retransmissions: { ingress: 10, egress: 20 },
  zeroWindows: { ingress: 0, egress: 8 },
};
const span = (exchange: Exchange | undefined): NetworkSpan => ({
  view: {
    flowId: 9,
    netns: 4,
    interfaceName: 'eth0',
    point: 'c',
    clientIp: '10.0.0.1',
    clientPort: 4_000,
    serverIp: '10.0.0.2',
    serverPort: 80,
    vlan: 7,
    protocol: exchange?.connection.protocol,
  },
  request,
  response,
  exchange,
});

function written(one: NetworkSpan): Record<string, unknown> {
  const batch = createBatch(l7FlowLog, CONNECTION_COLUMNS);
  const share = batch.share((to) => writeView(to, one.view, { agent: 'a', host: 'pod' }));
  const context = {
    wallClockOffsetNs: 0,
    idLow: 1,
    idHigh: 0,
    maskQuery: (path: string) => path,
    attributeNames: createAttributeNames(),
  };
  batch.add((to) => writeNetworkSpan(to, one, context), share);
  const read = readBlock(l7FlowLog, batch.encode(), { columns: 'agent' });
  if (read.kind !== 'block') throw new Error(`the batch is not readable: ${JSON.stringify(read)}`);
  return Object.fromEntries(
    columnsFrom(l7FlowLog.columns, 'agent').map((name) => [name, valuesOf(read.block, name)[0]]),
  );
}

test('a row says where, when, and what TCP suffered by who sent it', () => {
  expect(written(span(undefined))).toMatchObject({
    signal_source: 0,
    observation_point: 'c',
    host: 'pod',
    capture_nic_name: 'eth0',
    vlan: 7,
    ip_0: '10.0.0.1',
    server_port: 80,
    l7_protocol: 0,
    req_tcp_seq: 100,
    resp_tcp_seq: 500,
    response_duration: 3_000n,
    captured_request_byte: 30,
    captured_response_byte: 60,
    retrans_tx: 22,
    retrans_rx: 11,
    zero_win_tx: 8,
    zero_win_rx: 4,
    wire_id: wireId(100, 500),
    parent_wire_id: 0n,
    request_resource: '',
    response_status: 5,
  });
});

test('what a process told of the exchange is in the row, and its identity is the same', () => {
  const exchange = {
    kind: 'session',
    connection: { protocol: 'http1' },
    isLossy: false,
    request: {
      sequence: 100,
      method: 'GET',
      path: '/a',
      host: 'h',
      version: '1.1',
      trace: undefined,
      requestId: '',
      forwardedFor: '',
      bodySize: 0,
    },
    response: {
      sequence: 510,
      status: 503,
      outcome: 'server-error',
      result: '',
      reason: 'no',
      version: '1.1',
      trace: undefined,
      requestId: '',
      bodySize: 5,
    },
  } as unknown as Exchange; // The row looks at these parts only.
  expect(written(span(exchange))).toMatchObject({
    l7_protocol: 20,
    request_type: 'GET',
    request_resource: '/a',
    response_code: 503,
    response_status: 3,
    response_length: 5n,
    resp_tcp_seq: 510,
    wire_id: wireId(100, 510),
    app_service: '',
  });
});
