import type { LatencyAnswer, Span, TraceAnswer, TraceSummary } from '@thalweg/model';

// Data of the shape that the server answers, for tests of the UI. The same seed gives the same
// data; only the anchor in time is the caller's.

const SERVICES = ['edge', 'checkout', 'cart', 'payments', 'inventory', 'users', 'search', 'mail'];
const ROUTES: readonly (readonly [string, string])[] = [
  ['GET', '/cart/{id}'],
  ['POST', '/orders'],
  ['GET', '/orders/{id}'],
  ['GET', '/products/{sku}/stock'],
  ['POST', '/payments/{id}/capture'],
  ['GET', '/search'],
  ['PUT', '/users/{id}/address'],
  ['DELETE', '/cart/{id}/items/{sku}'],
];
const EVIDENCE = ['thread', 'connect', 'shared-id', 'single-open-request', 'wire'];

/** Mulberry32: small, even, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick<T>(values: readonly T[], random: () => number, fallback: T): T {
  return values[Math.floor(random() * values.length)] ?? fallback;
}

function pathOf(endpoint: string, random: () => number): string {
  return endpoint.replaceAll(/\{\w+\}/g, () => String(1_000 + Math.floor(random() * 9_000)));
}

/** Summaries that end at `endUs`, the newest first, spread over `spreadUs`. */
export function traceSummaries(
  count: number,
  endUs: number,
  spreadUs: number,
): readonly TraceSummary[] {
  const random = randomOf(7);
  return Array.from({ length: count }, (_, index) => {
    const [method, endpoint] = pick(ROUTES, random, ['GET', '/'] as const);
    const isSlow = random() < 0.06;
    const isError = random() < (isSlow ? 0.45 : 0.03);
    const base = method === 'GET' ? 3_000 : 14_000;
    const spread = Math.exp((random() + random() + random() - 1.5) * 1.6);
    const spanCount = 4 + Math.floor(random() * 38);
    return {
      traceId: String(9_007_199_254_740_993n * 977n + BigInt(index) * 7_919n),
      spanId: String(1_000_000 + index),
      startUs: Math.floor(endUs - ((index + random()) / count) * spreadUs),
      durationUs: Math.floor(base * spread * (isSlow ? 40 + 30 * random() : 1)),
      service: random() < 0.8 ? 'edge' : pick(SERVICES, random, 'edge'),
      method,
      host: 'shop.example',
      path: pathOf(endpoint, random),
      endpoint,
      status: isError ? pick([500, 502, 503, 504], random, 500) : random() < 0.05 ? 404 : 200,
      isError,
      spanCount,
      networkSpanCount: 0,
      serviceCount: 2 + Math.floor(spanCount / 8),
      hostName: 'gateway',
      isAnswered: true,
      rootCount: 1,
    };
  });
}

/** The heat map of summaries, in 60 columns. */
export function latencyOf(
  traces: readonly TraceSummary[],
  startUs: number,
  endUs: number,
): LatencyAnswer {
  const bucketUs = Math.max(1, Math.ceil((endUs - startUs) / 60));
  const cells = new Map<string, LatencyAnswer['cells'][number]>();
  for (const trace of traces) {
    const time = startUs + Math.floor((trace.startUs - startUs) / bucketUs) * bucketUs;
    const row = Math.floor(2 * Math.log2(Math.max(1, trace.durationUs)));
    const key = `${time}/${row}`;
    const cell = cells.get(key) ?? { time, row, count: 0, errors: 0 };
    cell.count += 1;
    cell.errors += trace.isError ? 1 : 0;
    cells.set(key, cell);
  }
  return { startUs, bucketUs, cells: [...cells.values()] };
}

interface Frame {
  readonly parent: Span | undefined;
  readonly startUs: number;
  readonly endUs: number;
  readonly depth: number;
  readonly service: string;
}

function fieldsOf(span: Omit<Span, 'fields'>, random: () => number): Span['fields'] {
  return {
    _id: span.spanId,
    wire_id: span.wireId,
    observation_point: span.observationPoint,
    app_service: span.service,
    process_kname_0: span.processName,
    request_type: span.method,
    request_domain: span.host,
    request_resource: span.path,
    endpoint: span.endpoint,
    response_code: String(span.status),
    response_duration: String(span.endUs - span.startUs),
    request_length: String(Math.floor(random() * 4_000)),
    response_length: String(Math.floor(random() * 90_000)),
    client_port: String(32_768 + Math.floor(random() * 28_000)),
    server_port: '8080',
    ip_0: '10.20.0.2',
    ip_1: '10.20.0.3',
    x_request_id_0: `req-${Math.floor(random() * 1e9).toString(16)}`,
    trace_id: '',
    container_id: '',
    version: '1.1',
    is_tls: '0',
  };
}

function spanOf(
  frame: Frame,
  point: 'c-p' | 's-p',
  wire: string,
  count: number,
  random: () => number,
): Span {
  const [method, endpoint] = pick(ROUTES, random, ['GET', '/'] as const);
  const { parent, service, startUs, endUs } = frame;
  const isHop = point === 's-p' && parent?.wireId === wire;
  const isError = !isHop && random() < 0.04;
  const probability = isHop ? 1 : random() < 0.8 ? 0.97 + random() * 0.03 : 0.55 + random() * 0.4;
  const span: Omit<Span, 'fields'> = {
    spanId: String(1_000_000 + count),
    parentId: parent?.spanId ?? null,
    wireId: wire,
    signal: 'S',
    observationPoint: point,
    service,
    processName: service === 'edge' ? 'nginx' : 'node',
    pid: 400 + SERVICES.indexOf(service),
    hostName: service === 'edge' ? 'gateway-1' : 'node-2',
    startUs,
    endUs,
    protocol: 'HTTP/1.1',
    method: isHop ? parent.method : method,
    host: isHop ? parent.host : service === 'edge' ? 'shop.example' : `${service}.internal`,
    path: isHop ? parent.path : pathOf(endpoint, random),
    endpoint: isHop ? parent.endpoint : endpoint,
    status: isHop ? parent.status : isError ? 503 : 200,
    isError: isHop ? parent.isError : isError,
    isAnswered: true,
    isLossy: random() < 0.01,
    link:
      parent === undefined
        ? null
        : {
            probability,
            evidence: isHop ? ['wire'] : [pick(EVIDENCE, random, 'thread')],
            candidates:
              probability < 0.9 ? [{ wireId: parent.wireId, probability: 1 - probability }] : [],
          },
  };
  return { ...span, fields: fieldsOf(span, random) };
}

/** Calls that a span makes, the last first: a stack then gives the first. */
function callsBelow(seen: Span, depth: number, fanOut: number, random: () => number): Frame[] {
  const calls: Frame[] = [];
  const width = seen.endUs - seen.startUs;
  const count = depth > 5 || width < 60 ? 0 : 1 + Math.floor(random() * fanOut);
  for (let call = count - 1; call >= 0; call--) {
    const isParallel = random() < 0.25;
    const at = isParallel ? 0.08 : (call / count) * 0.88 + 0.06;
    const share = isParallel ? 0.5 + random() * 0.4 : (0.85 / count) * (0.5 + random() * 0.5);
    const startUs = Math.round(seen.startUs + at * width);
    const endUs = Math.round(startUs + share * width);
    calls.push({ parent: seen, startUs, endUs, depth: depth + 1, service: seen.service });
  }
  return calls;
}

/** A trace of `count` spans in tree order: calls seen at both ends, some in parallel. */
export function traceOf(
  traceId: string,
  count: number,
  startUs: number,
  durationUs: number,
): TraceAnswer {
  const random = randomOf(count * 31 + 5);
  const spans: Span[] = [];
  const fanOut = count > 1_000 ? 9 : 3;
  const stack: Frame[] = [
    { parent: undefined, startUs, endUs: startUs + durationUs, depth: 0, service: 'edge' },
  ];
  for (let frame = stack.pop(); frame !== undefined && spans.length < count; frame = stack.pop()) {
    const wire = String(5_000_000_000 + spans.length);
    let seen = spanOf(
      frame,
      frame.parent === undefined ? 's-p' : 'c-p',
      wire,
      spans.length,
      random,
    );
    spans.push(seen);
    if (frame.parent !== undefined && spans.length < count) {
      const shift = (seen.endUs - seen.startUs) * 0.06;
      const service = pick(SERVICES, random, 'cart');
      const inside = {
        ...frame,
        parent: seen,
        service,
        startUs: Math.round(seen.startUs + shift),
        endUs: Math.round(seen.endUs - shift),
      };
      seen = spanOf(inside, 's-p', wire, spans.length, random);
      spans.push(seen);
    }
    stack.push(...callsBelow(seen, frame.depth, fanOut, random));
    if (stack.length === 0 && spans.length < count && spans[0] !== undefined) {
      const root = spans[0];
      const from = Math.round(root.startUs + random() * durationUs * 0.8);
      stack.push({
        parent: root,
        startUs: from,
        endUs: Math.round(from + durationUs * 0.15),
        depth: 1,
        service: 'edge',
      });
    }
  }
  const links = spans.flatMap((span) => span.link ?? []);
  const expectedWrongLinks = links.reduce((sum, link) => sum + 1 - link.probability, 0);
  return {
    traceId,
    startUs,
    endUs: startUs + durationUs,
    spans,
    isTruncated: false,
    expectedWrongLinks,
  };
}
