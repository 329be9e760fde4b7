import { timerMs } from '../timer-ms.ts';
import type { HealthThresholds } from './health-book.ts';

/** `checks` of an upstream with its defaults filled in. */
export interface ActiveCheck {
  readonly type: 'http' | 'https' | 'tcp';
  readonly timeoutMs: number;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly headers: readonly string[];
  readonly verifiesCertificate: boolean;
  readonly healthyStatuses: ReadonlySet<number>;
  readonly unhealthyStatuses: ReadonlySet<number>;
  readonly healthyIntervalMs: number;
  readonly unhealthyIntervalMs: number;
  readonly thresholds: HealthThresholds;
}

export interface PassiveCheck {
  readonly healthyStatuses: ReadonlySet<number>;
  readonly unhealthyStatuses: ReadonlySet<number>;
  readonly thresholds: HealthThresholds;
}

type Given = Readonly<Record<string, unknown>>;

const HEALTHY = [200, 302];
const UNHEALTHY = [429, 404, 500, 501, 502, 503, 504, 505];
const PASSIVE_HEALTHY = [
  ...[200, 201, 202, 203, 204, 205, 206, 207, 208, 226],
  ...[300, 301, 302, 303, 304, 305, 306, 307, 308],
];
const PASSIVE_UNHEALTHY = [429, 500, 503];

/** Undefined without `active`. Values were checked by the schema. Source: apisix.md §3.3. */
export function activeCheck(checks: Given | undefined): ActiveCheck | undefined {
  const active = part(checks, 'active');
  if (active === undefined) return undefined;
  const healthy = part(active, 'healthy');
  const unhealthy = part(active, 'unhealthy');
  const type = text(active, 'type') ?? 'http';
  return {
    type: type === 'https' || type === 'tcp' ? type : 'http',
    timeoutMs: timerMs(number(active, 'timeout', 1) * 1_000),
    method: text(active, 'http_method') ?? 'GET',
    path: text(active, 'http_path') ?? '/',
    body: text(active, 'http_req_body') ?? '',
    host: text(active, 'host'),
    port: typeof active['port'] === 'number' ? active['port'] : undefined,
    headers: list(active, 'req_headers').map(String),
    verifiesCertificate: active['https_verify_certificate'] !== false,
    healthyStatuses: statuses(healthy, HEALTHY),
    unhealthyStatuses: statuses(unhealthy, UNHEALTHY),
    healthyIntervalMs: number(healthy, 'interval', 1) * 1_000,
    unhealthyIntervalMs: number(unhealthy, 'interval', 1) * 1_000,
    thresholds: {
      successes: number(healthy, 'successes', 2),
      http_failure: number(unhealthy, 'http_failures', 5),
      tcp_failure: number(unhealthy, 'tcp_failures', 2),
      timeout_failure: number(unhealthy, 'timeouts', 3),
    },
  };
}

/** Undefined without `passive`. */
export function passiveCheck(checks: Given | undefined): PassiveCheck | undefined {
  const passive = part(checks, 'passive');
  if (passive === undefined) return undefined;
  const healthy = part(passive, 'healthy');
  const unhealthy = part(passive, 'unhealthy');
  return {
    healthyStatuses: statuses(healthy, PASSIVE_HEALTHY),
    unhealthyStatuses: statuses(unhealthy, PASSIVE_UNHEALTHY),
    thresholds: {
      successes: number(healthy, 'successes', 5),
      http_failure: number(unhealthy, 'http_failures', 5),
      tcp_failure: number(unhealthy, 'tcp_failures', 2),
      timeout_failure: number(unhealthy, 'timeouts', 7),
    },
  };
}

function part(given: Given | undefined, key: string): Given | undefined {
  const value = given?.[key];
  return typeof value === 'object' && value !== null ? (value as Given) : undefined;
}

function text(given: Given, key: string): string | undefined {
  const value = given[key];
  return typeof value === 'string' ? value : undefined;
}

function number(given: Given | undefined, key: string, fallback: number): number {
  const value = given?.[key];
  return typeof value === 'number' ? value : fallback;
}

function list(given: Given, key: string): readonly unknown[] {
  const value = given[key];
  return Array.isArray(value) ? value : [];
}

function statuses(given: Given | undefined, fallback: readonly number[]): ReadonlySet<number> {
  const value = given?.['http_statuses'];
  return new Set(Array.isArray(value) ? value.map(Number) : fallback);
}
