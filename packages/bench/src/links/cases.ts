import { SERVICE_BEHAVIOURS, type ServiceBehaviour } from './behaviour.ts';
import {
  type Neighbour,
  startOrigin,
  startProxy,
  startService,
  startThreadedService,
} from './neighbours.ts';

/** Real programs in a chain; the load asks the first. */
export interface LinkCase {
  /** As rows name it; `--case` takes a prefix of it. */
  readonly name: string;
  readonly doc: string;
  /** Whether the traffic carries ids that name the cause of each call; else the agent is blind. */
  readonly hasIds: boolean;
  start(): Promise<Chain>;
}

export interface Chain {
  readonly port: number;
  close(): Promise<void>;
}

/** Names of the design's matrix, where it has one. */
const NAMES: Readonly<Record<ServiceBehaviour, string>> = {
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

export const LINK_CASES: readonly LinkCase[] = [
  ...PROXIES.map(({ keepAlive, workers }) => ({
    name: `T1-nginx-keepalive-${keepAlive}-workers-${workers}`,
    hasIds: false,
    doc: `nginx (${workers} workers, ${keepAlive} idle upstream connections) before nginx`,
    start: () => chain([() => startOrigin(), (next) => startProxy(next, { keepAlive, workers })]),
  })),
  ...SERVICE_BEHAVIOURS.map((behaviour) => serviceCase(behaviour, false)),
  ...SERVICE_BEHAVIOURS.map((behaviour) => serviceCase(behaviour, true)),
  {
    name: 'T7-python-threads',
    hasIds: false,
    doc: "Python's threading server before nginx, blocking calls",
    start: () => chain([() => startOrigin(), (next) => startThreadedService(next)]),
  },
];

function serviceCase(behaviour: ServiceBehaviour, hasIds: boolean): LinkCase {
  const ids = hasIds ? ', which passes X-Request-ID on,' : '';
  return {
    name: `${hasIds ? 'ids-' : ''}${NAMES[behaviour]}`,
    doc: `nginx before a Node service (${behaviour})${ids} before nginx`,
    hasIds,
    start: () =>
      chain([
        () => startOrigin(),
        (next) => startService(next, behaviour),
        (next) => startProxy(next, { keepAlive: 512, workers: 1 }),
      ]),
  };
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
