import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { createBatch, l7FlowLog, type RowOf } from '@thalweg/model';

const compress = promisify(gzip);
type Row = RowOf<typeof l7FlowLog.columns>;

export interface ShopOptions {
  readonly seed: number;
  /** Microseconds since the epoch at which the first request comes. */
  readonly startUs: number;
  /** Requests from outside; each is `ROWS_PER_REQUEST` rows. */
  readonly requestsPerS: number;
  /** Share of requests that carry a W3C trace id. */
  readonly traceIdShare: number;
}

/** One request from outside. Ids are those that a person may look up. */
export interface ShopTrace {
  readonly spanId: bigint;
  readonly wireId: bigint;
  readonly traceId: string;
}

export interface Shop {
  /** About `rows` rows, whole requests, as the agent's Native block. */
  block(rows: number): { readonly block: Uint8Array<ArrayBuffer>; readonly rows: number };
  /** One of the requests of the last block. */
  lastTrace(): ShopTrace;
}

/** Gateway (server side), then two calls, each seen at both of its ends. */
export const ROWS_PER_REQUEST = 5;
const CONNECTIONS = 48;
const RATE_OF_A_BATCH = 2_000;

/** One batch of a shop of its own, gzipped as an agent sends it. Seeds share no row id. */
export function shopBatch(seed: number, rows: number): Promise<Buffer> {
  const startUs = Date.now() * 1e3 - (rows / ROWS_PER_REQUEST / RATE_OF_A_BATCH) * 1e6;
  const shop = createShop({ seed, startUs, requestsPerS: RATE_OF_A_BATCH, traceIdShare: 0 });
  return compress(shop.block(rows).block, { level: 1 });
}

/** A block as `upload` takes it. */
export async function packed(
  { block, rows }: ReturnType<Shop['block']>,
  token: string,
): Promise<{ token: string; rows: number; body: Uint8Array<ArrayBuffer> }> {
  return { token, rows, body: new Uint8Array(await compress(block, { level: 1 })) };
}

interface Connection {
  readonly ids: readonly [bigint, bigint];
  readonly port: number;
  readonly threads: readonly [number, number];
  requestSeq: number;
  responseSeq: number;
}

interface Hop {
  readonly from: string;
  readonly to: string;
  readonly connections: readonly Connection[];
}

/**
 * Rows as the demo's shop leaves them: client → gateway → orders → stock over kept-alive
 * connections, few endpoints, ids and sequence numbers as random as the real ones, links by thread.
 */
export function createShop(options: ShopOptions): Shop {
  const random = generator(options.seed);
  const whole = (below: number): number => Math.floor(random() * below);
  const u64 = (): bigint => (BigInt(whole(2 ** 32)) << 32n) | BigInt(whole(2 ** 32));
  const hops = hopsOf(whole);
  let counter = 0;
  let turn = 2 ** 40 + whole(2 ** 20);
  let nowUs = options.startUs;
  let last: ShopTrace = { spanId: 0n, wireId: 0n, traceId: '' };

  function rowsOfRequest(): Row[] {
    nowUs += (-Math.log(1 - random()) * 1e6) / options.requestsPerS;
    const order = whole(9_000);
    const isError = random() < 0.03;
    const traceId = random() < options.traceIdShare ? `${hex(u64())}${hex(u64())}` : '';
    const rows: Row[] = [];
    let startUs = Math.floor(nowUs);
    let durationUs = Math.floor(900 + random() ** 4 * 80_000);
    let parent = 0n;
    let cause = 0;
    for (const [depth, hop] of hops.entries()) {
      const connection = hop.connections[whole(hop.connections.length)];
      if (connection === undefined) throw new Error('BUG: a hop without connections');
      const size = whole(4_000);
      const wireId = u64();
      const turns = [nextTurn(), nextTurn()] as const;
      const common = { hop, connection, order, isError, size, wireId, traceId };
      if (depth > 0) {
        const link = { parent, cause, answer: turns[1] };
        rows.push(rowOf({ ...common, isServer: false, startUs, durationUs, ...link }, u64));
      }
      const delayUs = 20 + whole(60);
      startUs += delayUs;
      durationUs = Math.max(50, durationUs - delayUs - 20 - whole(60));
      const link = { parent: 0n, cause: turns[0], answer: turns[1] };
      rows.push(rowOf({ ...common, isServer: true, startUs, durationUs, ...link }, u64));
      connection.requestSeq = (connection.requestSeq + 180 + whole(40)) >>> 0;
      connection.responseSeq = (connection.responseSeq + 160 + size) >>> 0;
      parent = wireId;
      cause = turns[0];
      startUs += 60 + whole(200);
      durationUs = Math.max(40, Math.floor(durationUs * (0.5 + random() / 3)));
    }
    // The innermost answer ends first, and so its row is written first.
    const ordered = rows.reverse().map((row) => ({ ...row, _id: rowId() }));
    const entry = ordered.at(-1);
    last = { spanId: ordered[0]?._id ?? 0n, wireId: entry?.wire_id ?? 0n, traceId };
    return ordered;
  }

  function nextTurn(): number {
    turn += 1 + whole(3);
    return turn;
  }

  function rowId(): bigint {
    return (BigInt(options.seed) << 32n) | BigInt(counter++);
  }

  return {
    block: (wanted) => {
      const batch = createBatch(l7FlowLog);
      while (batch.rows < wanted) for (const row of rowsOfRequest()) batch.push(row);
      return { block: batch.encode(), rows: batch.rows };
    },
    lastTrace: () => last,
  };
}

function hopsOf(whole: (below: number) => number): readonly Hop[] {
  let id = 2 ** 33;
  const connections = (count: number): Connection[] =>
    Array.from({ length: count }, () => ({
      ids: [BigInt(id++), BigInt(id++)],
      port: 30_000 + whole(20_000),
      threads: [1_000 + whole(2), 2_000 + whole(4)],
      requestSeq: whole(2 ** 32),
      responseSeq: whole(2 ** 32),
    }));
  return [
    { from: 'client', to: 'gateway', connections: connections(CONNECTIONS) },
    { from: 'gateway', to: 'orders', connections: connections(CONNECTIONS / 2) },
    { from: 'orders', to: 'stock', connections: connections(CONNECTIONS / 3) },
  ];
}

interface Seen {
  readonly hop: Hop;
  readonly connection: Connection;
  readonly isServer: boolean;
  readonly order: number;
  readonly isError: boolean;
  readonly size: number;
  readonly wireId: bigint;
  readonly traceId: string;
  readonly parent: bigint;
  readonly cause: number;
  readonly answer: number;
  readonly startUs: number;
  readonly durationUs: number;
}

function rowOf(seen: Seen, u64: () => bigint): Row {
  const { hop, connection, isServer, order, wireId, startUs, durationUs, traceId } = seen;
  const service = isServer ? hop.to : hop.from;
  const [clientThread, serverThread] = connection.threads;
  const name = service === 'gateway' ? 'nginx' : 'node';
  const status = seen.isError ? 500 : 200;
  return {
    _id: 0n,
    time: Math.floor((startUs + durationUs) / 1e6),
    start_time: startUs,
    end_time: startUs + durationUs,
    flow_id: connection.ids[isServer ? 1 : 0],
    signal_source: 3,
    agent: 'bench',
    observation_point: isServer ? 's-p' : 'c-p',
    type: 2,
    host: `host-${service}`,
    container_id: '',
    netns: 4_026_531_840 + service.length,
    capture_nic_name: '',
    vlan: 0,
    ip_0: `10.0.0.${hop.from.length}`,
    ip_1: `10.0.0.${hop.to.length}`,
    client_port: connection.port,
    server_port: 8_080,
    protocol: 6,
    req_tcp_seq: connection.requestSeq,
    resp_tcp_seq: connection.responseSeq,
    l7_protocol: 20,
    version: '1.1',
    is_tls: 0,
    is_async: 0,
    request_type: order % 5 === 0 ? 'POST' : 'GET',
    request_domain: `${hop.to}.internal:8080`,
    request_resource: `/${hop.to}/${order}?currency=EUR`,
    request_id: 0n,
    endpoint: `/${hop.to}/*`,
    response_status: seen.isError ? 3 : 0,
    response_code: status,
    response_exception: seen.isError ? 'Internal Server Error' : '',
    response_result: '',
    app_service: service,
    app_instance: `host-${service}:${isServer ? serverThread : clientThread}`,
    process_id_0: isServer ? 0 : clientThread,
    process_id_1: isServer ? serverThread : 0,
    process_kname_0: isServer ? '' : name,
    process_kname_1: isServer ? name : '',
    trace_id: traceId,
    span_id: traceId === '' ? '' : hex(u64()),
    parent_span_id: '',
    trace_state: '',
    span_kind: 0,
    span_status: 0,
    x_request_id_0: '',
    x_request_id_1: '',
    http_proxy_client: '',
    syscall_trace_id_request: BigInt(seen.cause),
    syscall_trace_id_response: BigInt(seen.answer),
    syscall_thread_0: isServer ? 0 : clientThread,
    syscall_thread_1: isServer ? serverThread : 0,
    attribute_names: ['http.request.header.accept', 'http.response.header.content-type'],
    attribute_values: ['*/*', 'application/json'],
    attribute_types: '',
    resource_attributes: '',
    scope: '',
    events: '',
    links: '',
    request_length: 0n,
    response_length: BigInt(seen.size),
    captured_request_byte: 180,
    captured_response_byte: Math.min(1_024, 160 + seen.size),
    response_duration: BigInt(durationUs),
    retrans_tx: 0,
    retrans_rx: 0,
    zero_win_tx: 0,
    zero_win_rx: 0,
    wire_id: wireId,
    parent_wire_id: seen.parent,
    link_probability: seen.parent === 0n ? 0 : 0.97,
    link_evidence: seen.parent === 0n ? 0 : 2,
    candidate_wire_ids: [],
    candidate_probabilities: [],
    is_lossy: 0,
  };
}

const hex = (value: bigint): string => value.toString(16).padStart(16, '0');

/** xorshift128: a linear congruence of 32 bits repeats itself within a bench. */
function generator(seed: number): () => number {
  const state = new Uint32Array([seed ^ 0x9e3779b9, seed + 0x7f4a7c15, 0x2545f491, seed | 1]);
  const next = (): number => {
    let [t = 0] = state;
    const s = state[3] ?? 0;
    t ^= t << 11;
    t ^= t >>> 8;
    state.copyWithin(0, 1);
    state[3] = t ^ s ^ (s >>> 19);
    return state[3] ?? 0;
  };
  for (let warm = 0; warm < 16; warm += 1) next();
  return () => next() / 2 ** 32;
}
