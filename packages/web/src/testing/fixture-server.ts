import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { TraceSearchQuery, type TraceSummary } from '@thalweg/model';
import { latencyOf, traceOf, traceSummaries } from './fixture-data.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const TRACES = 2_400;
const SPREAD_US = 14 * 60_000_000;
const CSP = "default-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'";

/** What the server answers to all `/api` questions. */
type FixtureMode = 'data' | 'empty' | 'lossy' | 'failing';

export interface FixtureServer {
  readonly url: string;
  setMode(mode: FixtureMode): void;
  /** Questions to `/api` so far, newest last. */
  readonly asked: readonly URL[];
  close(): Promise<void>;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function isWanted(trace: TraceSummary, query: TraceSearchQuery): boolean {
  const { service, method, status, text } = query;
  const isStatus = (wanted: string): boolean =>
    wanted === 'error'
      ? trace.isError
      : wanted.endsWith('xx')
        ? String(trace.status).startsWith(wanted.slice(0, 1))
        : String(trace.status) === wanted;
  return (
    trace.startUs >= query.start &&
    trace.startUs < query.end &&
    (service === undefined || service.includes(trace.service)) &&
    (method === undefined || method.includes(trace.method)) &&
    (status === undefined || status.some(isStatus)) &&
    (query.endpoint === undefined || trace.endpoint === query.endpoint) &&
    trace.durationUs >= (query.min_duration_us ?? 0) &&
    trace.durationUs <= (query.max_duration_us ?? Number.POSITIVE_INFINITY) &&
    (text === undefined || `${trace.host}${trace.path}${trace.traceId}`.includes(text))
  );
}

function valuesOf(traces: readonly TraceSummary[], url: URL): unknown {
  const field = url.searchParams.get('field');
  const prefix = url.searchParams.get('prefix') ?? '';
  const counts = new Map<string, number>();
  for (const trace of traces) {
    const { service, endpoint, method, status, host } = trace;
    const known: Readonly<Record<string, string>> = {
      service,
      endpoint,
      method,
      host,
      status: String(status),
    };
    const value = known[field ?? ''] ?? '';
    if (value.startsWith(prefix)) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const values = [...counts].map(([value, count]) => ({ value, count }));
  return { values: values.sort((a, b) => b.count - a.count) };
}

function search(traces: readonly TraceSummary[], url: URL, mode: FixtureMode): unknown {
  const query = TraceSearchQuery.parse(Object.fromEntries(url.searchParams));
  const found = traces.filter((trace) => isWanted(trace, query));
  const from = Number(query.cursor ?? 0);
  const next = from + query.limit;
  return {
    traces: found.slice(from, next),
    ...(next < found.length ? { cursor: String(next) } : {}),
    lost: mode === 'lossy' ? { events: 1_234, rows: 5 } : { events: 0, rows: 0 },
  };
}

function oneTrace(traces: readonly TraceSummary[], id: string): unknown {
  const [, huge] = /^huge-(\d+)$/.exec(id) ?? [];
  if (huge !== undefined) return traceOf(id, Number(huge), traces[0]?.startUs ?? 0, 2_400_000);
  const trace = traces.find(({ traceId }) => traceId === id);
  if (trace === undefined) return undefined;
  const whole = traceOf(id, trace.spanCount, trace.startUs, trace.durationUs);
  return {
    ...whole,
    spans: whole.spans.map((s, i) =>
      i === 0
        ? { ...s, spanId: trace.spanId }
        : { ...s, parentId: s.parentId === '1000000' ? trace.spanId : s.parentId },
    ),
  };
}

async function sendFile(root: string, path: string, response: ServerResponse): Promise<void> {
  const name = extname(path) === '' ? '/index.html' : path;
  const body = await readFile(join(root, name)).catch(() => undefined);
  response.writeHead(body === undefined ? 404 : 200, {
    'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
    'content-security-policy': CSP,
  });
  response.end(body);
}

/** Serves a built UI and generated data on a free port of the loopback. For tests only. */
export async function startFixtureServer(root: string, nowUs: number): Promise<FixtureServer> {
  const traces = traceSummaries(TRACES, nowUs, SPREAD_US);
  const asked: URL[] = [];
  let mode: FixtureMode = 'data';
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fixture');
    if (!url.pathname.startsWith('/api/')) {
      void sendFile(root, url.pathname, response);
      return;
    }
    asked.push(url);
    const shown = mode === 'empty' ? [] : traces;
    if (mode === 'failing') {
      const error = {
        code: 'store-down',
        message: 'the store does not answer',
        fix: 'see `thalweg doctor`',
      };
      answer(response, 422, { error });
    } else if (url.pathname === '/api/traces') answer(response, 200, search(shown, url, mode));
    else if (url.pathname === '/api/values') answer(response, 200, valuesOf(shown, url));
    else if (url.pathname === '/api/link-calibration') {
      const isMeasured = url.searchParams.get('service') !== 'orders';
      const counts = { right: 11_844, wrong: 156, open: 120, solidRight: 11_800, solidWrong: 3 };
      const none = { right: 0, wrong: 0, open: 0, solidRight: 0, solidWrong: 0 };
      answer(response, 200, isMeasured ? counts : none);
    } else if (url.pathname === '/api/latency') {
      const query = TraceSearchQuery.parse(Object.fromEntries(url.searchParams));
      const found = shown.filter((trace) => isWanted(trace, query));
      answer(response, 200, latencyOf(found, query.start, query.end));
    } else {
      const body = oneTrace(shown, decodeURIComponent(url.pathname.slice('/api/traces/'.length)));
      const error = { code: 'no-such-trace', message: 'no span has this id' };
      answer(response, body === undefined ? 404 : 200, body ?? { error });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // A TCP server: never a pipe's name.
  return {
    url: `http://127.0.0.1:${port}`,
    setMode: (next) => {
      mode = next;
    },
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
