import { SERVICE_BEHAVIOURS, type ServiceBehaviour, type StoreBehaviour } from './behaviour.ts';
import {
  type Neighbour,
  startOrigin,
  startProxy,
  startService,
  startThreadedService,
} from './neighbours.ts';
import { startAsyncioService } from './programs/asyncio.ts';
import { type Missing, needsCommand, needsJava } from './programs/available.ts';
import { type JavaThreads, startJavaService } from './programs/java.ts';
import { needsPhpFpm, startPhp } from './programs/php.ts';
import { startCaddy, startHaproxy } from './programs/proxies.ts';
import { postgresqlFolder, startPostgresql, startRedis } from './programs/stores.ts';

/** Real programs in a chain; the load asks the first. */
export interface LinkCase {
  /** As rows name it; `--case` takes a prefix of it. */
  readonly name: string;
  readonly doc: string;
  /** Whether the traffic carries ids that name the cause of each call; else the agent is blind. */
  readonly hasIds: boolean;
  /** What it needs that may not be here. */
  readonly missing?: Missing;
  /**
   * The agent starts when the load already runs; clients leave before they are answered; the agent
   * loses one event of a hundred.
   */
  readonly trouble?: 'joined-late' | 'clients-leave' | 'events-lost';
  start(): Promise<Chain>;
}

export interface Chain {
  readonly port: number;
  close(): Promise<void>;
}

/** Names of the design's matrix, where it has one. */
const NAMES: Readonly<Record<Exclude<ServiceBehaviour, StoreBehaviour>, string>> = {
  plain: 'T1-node',
  'timer-before': 'T2-timer-before',
  'timer-after': 'T2-timer-after',
  'timer-both': 'T2b-timer-both',
  fs: 'T3-fs',
  'fan-out': 'T4-fan-out',
  'max-sockets': 'T5-max-sockets-4',
  dns: 'T5-dns',
  background: 'T9-background',
  cache: 'T9-cache',
  retry: 'T9-retry',
};

const PROXIES = [0, 8, 512].flatMap((keepAlive) =>
  [1, 4].map((workers) => ({ keepAlive, workers })),
);

/** The JDK that each kind of threads came with. */
const JAVA_VERSIONS: Readonly<Record<JavaThreads, number>> = { pool: 11, handoff: 11, virtual: 21 };

export const LINK_CASES: readonly LinkCase[] = [
  ...PROXIES.map(({ keepAlive, workers }) => ({
    name: `T1-nginx-keepalive-${keepAlive}-workers-${workers}`,
    hasIds: false,
    doc: `nginx (${workers} workers, ${keepAlive} idle upstream connections) before nginx`,
    start: () => chain([startOrigin, (next) => startProxy(next, { keepAlive, workers })]),
  })),
  ...SERVICE_BEHAVIOURS.map((behaviour) => serviceCase(behaviour, false)),
  ...SERVICE_BEHAVIOURS.map((behaviour) => serviceCase(behaviour, true)),
  {
    name: 'T7-python-threads',
    hasIds: false,
    doc: "Python's threading server before nginx, blocking calls",
    start: () => chain([startOrigin, (next) => startThreadedService(next)]),
  },
  ...[false, true].map((isSleepy) => ({
    name: `T7-python-asyncio${isSleepy ? '-timer-before' : '-plain'}`,
    doc: `nginx before Python's asyncio${isSleepy ? ', a random wait before each call' : ''}`,
    hasIds: false,
    start: () => behindNginx((next) => startAsyncioService(next, isSleepy)),
  })),
  ...[1, 4].map((threads) => ({
    name: `T7-haproxy-threads-${threads}`,
    doc: `HAProxy (${threads} threads) before nginx`,
    missing: needsCommand('haproxy', 'haproxy'),
    hasIds: false,
    start: () => chain([startOrigin, (next) => startHaproxy(next, threads)]),
  })),
  {
    name: 'T7-caddy',
    doc: 'Caddy (Go) before nginx',
    missing: needsCommand('caddy', 'caddy'),
    hasIds: false,
    start: () => chain([startOrigin, (next) => startCaddy(next)]),
  },
  ...Object.entries(JAVA_VERSIONS).map(([threads, versionMin]) => ({
    name: `T7-java-${threads}`,
    doc: `nginx before Java's HttpServer and HttpClient (${threads})`,
    missing: needsJava(versionMin),
    hasIds: false,
    start: () => behindNginx((next) => startJavaService(next, threads as JavaThreads)), // Its own keys.
  })),
  {
    name: 'T7-php-fpm-unix',
    doc: 'nginx before PHP-FPM on a unix-domain socket (FastCGI) before nginx',
    missing: needsPhpFpm,
    hasIds: false,
    start: () => chain([startOrigin, startPhp]),
  },
  {
    name: 'T8-redis',
    doc: 'nginx before a Node service whose requests share one connection to Redis',
    missing: needsCommand('redis-server', 'redis-server'),
    hasIds: false,
    start: () => behindNginx((next) => startService(next, 'redis'), startRedis),
  },
  {
    name: 'T8-postgresql-pool-8',
    doc: 'nginx before a Node service with a pool of 8 connections to PostgreSQL',
    missing: () =>
      postgresqlFolder() === undefined
        ? 'PostgreSQL is not installed; fix: apt install postgresql'
        : undefined,
    hasIds: false,
    start: () => behindNginx((next) => startService(next, 'postgresql'), startPostgresql),
  },
  {
    name: 'T9-clients-leave',
    doc: 'nginx before a Node service (fan-out) before nginx, the load ends before the answers',
    trouble: 'clients-leave',
    hasIds: false,
    start: () => behindNginx((next) => startService(next, 'fan-out')),
  },
  {
    name: 'T9-lost-nginx',
    doc: 'nginx (8 idle upstream connections) before nginx, one event of a hundred lost',
    trouble: 'events-lost',
    hasIds: false,
    start: () => chain([startOrigin, (next) => startProxy(next, { keepAlive: 8, workers: 1 })]),
  },
  {
    name: 'T9-lost-node',
    doc: 'nginx before a Node service (fan-out) before nginx, one event of a hundred lost',
    trouble: 'events-lost',
    hasIds: false,
    start: () => behindNginx((next) => startService(next, 'fan-out')),
  },
  {
    name: 'T9-lost-haproxy',
    doc: 'HAProxy (1 thread) before nginx, one event of a hundred lost',
    missing: needsCommand('haproxy', 'haproxy'),
    trouble: 'events-lost',
    hasIds: false,
    start: () => chain([startOrigin, (next) => startHaproxy(next, 1)]),
  },
  {
    name: 'T9-joined-late',
    doc: 'nginx (8 idle upstream connections) before nginx, the agent starts under load',
    trouble: 'joined-late',
    hasIds: false,
    start: () => chain([startOrigin, (next) => startProxy(next, { keepAlive: 8, workers: 1 })]),
  },
];

function serviceCase(behaviour: keyof typeof NAMES, hasIds: boolean): LinkCase {
  const ids = hasIds ? ', which passes X-Request-ID on,' : '';
  return {
    name: `${hasIds ? 'ids-' : ''}${NAMES[behaviour]}`,
    doc: `nginx before a Node service (${behaviour})${ids} before nginx`,
    hasIds,
    start: () => behindNginx((next) => startService(next, behaviour)),
  };
}

function behindNginx(
  startSubject: (next: number) => Promise<Neighbour>,
  startLast = startOrigin,
): Promise<Chain> {
  return chain([
    startLast,
    startSubject,
    (next) => startProxy(next, { keepAlive: 512, workers: 1 }),
  ]);
}

/** Starts the programs from the last to the first; each is given the port of the one behind it. */
async function chain(starts: readonly ((next: number) => Promise<Neighbour>)[]): Promise<Chain> {
  const started: Neighbour[] = [];
  const close = async (): Promise<void> => {
    for (const one of started.reverse()) await one.close();
  };
  try {
    for (const start of starts) started.push(await start(started.at(-1)?.port ?? 0));
  } catch (error) {
    await close();
    throw error;
  }
  return { port: started.at(-1)?.port ?? 0, close };
}
