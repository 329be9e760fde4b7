import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { createBatch, l7FlowLog, type RowOf } from '@thalweg/model';

const compress = promisify(gzip);

/** Rows as a shop's gateway leaves them: few endpoints and hosts, ids that do not repeat. */
/** Batches of different seeds share no row id. Gzipped, as an agent sends them. */
export async function shopBatch(seed: number, rows: number): Promise<Buffer> {
  const batch = createBatch(l7FlowLog);
  const random = generator(seed + 1);
  const nowUs = Date.now() * 1e3;
  for (let at = 0; at < rows; at += 1) {
    const id = (BigInt(seed) << 32n) | BigInt(at);
    batch.push({ ...row(random, nowUs - at * 37), _id: id });
  }
  return compress(batch.encode(), { level: 1 });
}

function row(random: () => number, startUs: number): RowOf<typeof l7FlowLog.columns> {
  const isServer = random() < 0.5;
  const order = Math.floor(random() * 9_000);
  const durationUs = Math.floor(200 + random() ** 4 * 50_000);
  const status = random() < 0.03 ? 500 : 200;
  const id = (): bigint =>
    (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32));
  const service = ['gateway', 'orders', 'stock', 'users'][Math.floor(random() * 4)] ?? 'gateway';
  return {
    _id: id(),
    time: Math.floor((startUs + durationUs) / 1e6),
    start_time: startUs,
    end_time: startUs + durationUs,
    flow_id: BigInt(Math.floor(random() * 500)),
    signal_source: 3,
    agent: 'bench',
    observation_point: isServer ? 's-p' : 'c-p',
    type: 2,
    host: `host-${service}`,
    container_id: '',
    netns: 4_026_531_840,
    ip_0: '10.0.0.1',
    ip_1: '10.0.0.2',
    client_port: 30_000 + Math.floor(random() * 500),
    server_port: 8_080,
    protocol: 6,
    req_tcp_seq: Math.floor(random() * 2 ** 32),
    resp_tcp_seq: Math.floor(random() * 2 ** 32),
    l7_protocol: 20,
    version: '1.1',
    is_tls: 0,
    is_async: 0,
    request_type: random() < 0.8 ? 'GET' : 'POST',
    request_domain: `${service}.internal:8080`,
    request_resource: `/${service}/${order}?currency=EUR`,
    request_id: 0n,
    endpoint: `/${service}/${order % 50}`,
    response_status: status === 500 ? 3 : 0,
    response_code: status,
    response_exception: status === 500 ? 'Internal Server Error' : '',
    response_result: '',
    app_service: service,
    app_instance: `host-${service}:${1_000 + Math.floor(random() * 4)}`,
    process_id_0: isServer ? 0 : 1_000,
    process_id_1: isServer ? 1_000 : 0,
    process_kname_0: isServer ? '' : 'node',
    process_kname_1: isServer ? 'node' : '',
    trace_id: '',
    span_id: '',
    parent_span_id: '',
    trace_state: '',
    span_kind: 0,
    span_status: 0,
    x_request_id_0: '',
    x_request_id_1: '',
    http_proxy_client: '',
    syscall_trace_id_request: BigInt(Math.floor(random() * 1e6)) << 20n,
    syscall_trace_id_response: 0n,
    syscall_thread_0: isServer ? 0 : 1_000,
    syscall_thread_1: isServer ? 1_000 : 0,
    attribute_names: ['http.request.header.accept', 'http.response.header.content-type'],
    attribute_values: ['*/*', 'application/json'],
    attribute_types: '',
    resource_attributes: '',
    scope: '',
    events: '',
    links: '',
    request_length: 0n,
    response_length: BigInt(Math.floor(random() * 4_000)),
    captured_request_byte: 180,
    captured_response_byte: 220,
    response_duration: BigInt(durationUs),
    wire_id: id(),
    parent_wire_id: isServer ? 0n : id(),
    link_probability: isServer ? 0 : 0.97,
    link_evidence: isServer ? 0 : 2,
    candidate_wire_ids: [],
    candidate_probabilities: [],
    is_lossy: 0,
  };
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
