import { Agent, type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where the mixed load goes. */
export interface SoakTarget {
  readonly port: number;
  readonly adminUrl: string;
  readonly adminKey: string;
  readonly upstreamPort: number;
}

/** What one client does again and again: answers what came of it, `status` or an error's text. */
interface Traffic {
  readonly name: string;
  readonly clients: number;
  /** Between two of one client, in ms: not all of it at full speed. */
  readonly pauseMs: number;
  readonly isExpected: (outcome: string) => boolean;
  ask(target: SoakTarget, turn: number, agent: Agent): Promise<string>;
}

export interface TrafficCount {
  readonly name: string;
  count: number;
  /** Outcomes that should not be, with how often. */
  readonly unexpected: Map<string, number>;
}

const POST_BYTES_MAX = 65_536;
const BODY = Buffer.alloc(POST_BYTES_MAX, 'x');
/** Of the cache's and the unmatched requests' paths: far more than any zone or table holds. */
const PATHS = 1_000_000;
const is = (...statuses: readonly string[]) => {
  return (outcome: string): boolean => statuses.includes(outcome);
};
const key = { apikey: 'soak' };

/** The kinds of clients of a busy gateway, the rude ones too. */
const TRAFFIC: readonly Traffic[] = [
  {
    name: 'keyed',
    clients: 6,
    pauseMs: 0,
    isExpected: is('200'),
    ask: (target, turn, agent) => get(target, { agent, path: `/api/${turn % 50}`, headers: key }),
  },
  {
    name: 'keyless',
    clients: 1,
    pauseMs: 2,
    isExpected: is('401'),
    ask: (target, turn, agent) => get(target, { agent, path: `/api/${turn}` }),
  },
  {
    name: 'a connection each',
    clients: 2,
    pauseMs: 2,
    isExpected: is('200'),
    ask: (target) => get(target, { agent: false, path: '/plain' }),
  },
  {
    name: 'uploads',
    clients: 2,
    pauseMs: 2,
    isExpected: is('200'),
    ask: (target, turn, agent) =>
      get(target, { agent, path: '/plain', method: 'POST' }, BODY.subarray((turn * 977) % 65_536)),
  },
  {
    name: 'logged',
    clients: 2,
    pauseMs: 2,
    isExpected: is('200'),
    ask: (target, turn, agent) =>
      get(target, { agent, path: `/logged?n=${turn}`, method: 'POST' }, BODY.subarray(0, 500)),
  },
  {
    name: 'cached',
    clients: 2,
    pauseMs: 1,
    isExpected: is('200'),
    ask: (target, turn, agent) => get(target, { agent, path: `/cached/${somewhere(turn)}` }),
  },
  {
    name: 'limited',
    clients: 1,
    pauseMs: 2,
    isExpected: is('200', '503'),
    ask: (target, turn, agent) => get(target, { agent, path: '/limited', headers: from(turn) }),
  },
  {
    name: 'nowhere',
    clients: 1,
    pauseMs: 2,
    isExpected: is('404'),
    ask: (target, turn, agent) => get(target, { agent, path: `/nowhere/${somewhere(turn)}` }),
  },
  {
    name: 'leaving',
    clients: 2,
    pauseMs: 5,
    isExpected: is('left'),
    ask: leave,
  },
  {
    name: 'nonsense',
    clients: 1,
    pauseMs: 10,
    isExpected: is('closed'),
    ask: talkNonsense,
  },
  {
    name: 'changes',
    clients: 1,
    pauseMs: 100,
    isExpected: is('200', '201', '404'),
    ask: change,
  },
];

/** Starts every client; `stop` waits until each has finished what it was at. */
export function startTraffic(target: SoakTarget): {
  readonly counts: readonly TrafficCount[];
  stop(): Promise<void>;
} {
  const agent = new Agent({ keepAlive: true });
  let isStopping = false;
  const counts = TRAFFIC.map(({ name }) => ({ name, count: 0, unexpected: new Map() }));
  const clients = TRAFFIC.flatMap((traffic, at) =>
    Array.from({ length: traffic.clients }, (_, client) => run(traffic, counts[at], client)),
  );

  async function run(traffic: Traffic, count: TrafficCount | undefined, client: number) {
    for (let turn = client; !isStopping && count !== undefined; turn += traffic.clients) {
      const outcome = await traffic.ask(target, turn, agent);
      count.count += 1;
      if (!traffic.isExpected(outcome)) {
        count.unexpected.set(outcome, (count.unexpected.get(outcome) ?? 0) + 1);
      }
      if (traffic.pauseMs > 0) await sleep(traffic.pauseMs);
    }
  }

  return {
    counts,
    async stop() {
      isStopping = true;
      await Promise.all(clients);
      agent.destroy();
    },
  };
}

/** Spread over all paths, the same ones in each run. */
function somewhere(turn: number): number {
  return (turn * 7_919) % PATHS;
}

function from(turn: number): Record<string, string> {
  return { 'x-client': `c${somewhere(turn)}` };
}

function get(target: SoakTarget, options: RequestOptions, body?: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port: target.port, ...options }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(String(answer.statusCode)));
      answer.on('error', (error) => resolve(error.message));
    });
    asked.on('error', (error) => resolve(error.message));
    asked.end(body);
  });
}

/** Goes away in the midst of an answer. */
function leave(target: SoakTarget): Promise<string> {
  return new Promise((resolve) => {
    const asked = request(
      { host: '127.0.0.1', port: target.port, path: '/slow', agent: false },
      (answer) => {
        answer.on('error', () => undefined);
        answer.once('data', () => {
          asked.destroy();
          resolve('left');
        });
      },
    );
    asked.on('error', (error) => resolve(error.message));
    asked.end();
  });
}

function talkNonsense({ port }: SoakTarget, turn: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        turn % 2 === 0 ? 'GET / HTTP/9.9\r\n\r\n' : `POST /plain HTTP/1.1\r\n${turn}\r\n\r\n`,
      );
    });
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => resolve('closed'));
  });
}

/** Writes, changes and deletes a route and a consumer. */
async function change(target: SoakTarget, turn: number): Promise<string> {
  const headers = { 'X-API-KEY': target.adminKey };
  const at = `${target.adminUrl}/apisix/admin`;
  const id = `change-${turn % 20}`;
  const isGoing = turn % 5 === 4;
  const route = {
    uri: `/${id}/${turn}`,
    plugins: { 'limit-count': { count: turn + 1, time_window: 60 }, 'request-id': {} },
    upstream: { nodes: { [`127.0.0.1:${target.upstreamPort}`]: 1 } },
  };
  const consumer = { username: 'changing', plugins: { 'key-auth': { key: `k${turn}` } } };
  const writes: readonly (readonly [string, object])[] = [
    [`${at}/routes/${id}`, route],
    [`${at}/consumers`, consumer],
  ];
  let last = '';
  for (const [url, body] of isGoing ? writes.slice(0, 1) : writes) {
    const given = isGoing ? { method: 'DELETE' } : { method: 'PUT', body: JSON.stringify(body) };
    last = await outcomeOf(url, { headers, ...given });
    if (!['200', '201', '404'].includes(last)) break;
  }
  return last;
}

/** The status, or why there is none. */
async function outcomeOf(url: string, given: RequestInit): Promise<string> {
  try {
    const answer = await fetch(url, given);
    await answer.arrayBuffer();
    return String(answer.status);
  } catch (error) {
    return error instanceof Error ? String(error.cause ?? error.message) : String(error);
  }
}
