import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeRunFolder } from '@thalweg/demo';
import { freePort } from './links/neighbours.ts';
import { saturate } from './load.ts';
import { startNginxPair } from './nginx-pair.ts';
import { childrenOf } from './process-use.ts';
import type { Bench, BenchRow } from './report.ts';
import { shopBatch } from './shop-rows.ts';

/**
 * kill -9 of the store's child, the server and the agent under load, time and again: what was
 * acknowledged is there exactly once, the traffic does not notice, the kernel keeps nothing.
 */
const BATCH_ROWS = 500;
const WRITERS = 3;
const BETWEEN_KILLS_MS = 400;
/** An agent gives way to the load and sees little at first: in less it would have stored nothing. */
const AGENT_LIFE_MS = 2_500;
/** From one kill to the next, the agent's start and the look for what is left among it. */
const AGENT_ROUND_MS = AGENT_LIFE_MS + 2_000;
const BACK_MS_MAX = 30_000;
const PORTS = [18_580, 18_581] as const;
const CLI = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../cli/dist/thalweg.js' : './thalweg.js',
    import.meta.url,
  ),
);

export const crash: Bench = async ({ isQuick, signal, progress }) => {
  const kills = isQuick ? 2 : 20;
  const temporary = makeRunFolder('crash');
  const folder = temporary.path;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const rows: BenchRow[] = [];
  const start = (): ChildProcess =>
    run(['server', '--port', String(port), '--data-dir', join(folder, 'data')]);
  let server = start();
  try {
    await isReady(url);
    for (const [phase, victim] of (['store-child', 'server'] as const).entries()) {
      const writing = startWriters(url, victim, (phase + 1) * 10_000_000);
      for (let kill = 0; kill < kills && !signal.aborted; kill += 1) {
        await sleep(BETWEEN_KILLS_MS);
        if (victim === 'store-child') {
          for (const pid of childrenOf(server.pid ?? 0)) process.kill(pid, 'SIGKILL');
        } else {
          await killed(server);
          server = start();
        }
        await isReady(url);
        progress(`${victim}: ${kill + 1} of ${kills} kills survived`);
      }
      const acknowledged = await writing.stop();
      rows.push(...(await balance(url, victim, acknowledged, kills)));
    }
    rows.push(...(await killAgents(folder, url, kills, signal, progress)));
    return rows;
  } finally {
    await killed(server);
    temporary.remove();
  }
};

/** Writers that send each batch until it is acknowledged, under one token. */
function startWriters(url: string, agent: string, firstSeed: number) {
  let isStopping = false;
  let acknowledged = 0;
  const write = async (writer: number): Promise<void> => {
    for (let at = 0; !isStopping; at += 1) {
      const body = await shopBatch(firstSeed + writer * 1_000_000 + at, BATCH_ROWS);
      while (!(await isKept(url, agent, `${agent}-${writer}-${at}`, body))) await sleep(50);
      acknowledged += BATCH_ROWS;
    }
  };
  const running = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  return {
    async stop(): Promise<number> {
      isStopping = true;
      await running;
      return acknowledged;
    },
  };
}

async function isKept(url: string, agent: string, token: string, body: Buffer): Promise<boolean> {
  const headers = {
    'content-type': 'application/octet-stream',
    'content-encoding': 'gzip',
    'x-thalweg-agent': agent,
    'x-thalweg-token': token,
  };
  const sent = { method: 'POST', body, headers };
  const answer = await fetch(`${url}/api/ingest/l7_flow_log`, sent).catch(() => undefined);
  if (answer === undefined) return false;
  const text = await answer.text().catch(() => '');
  if (answer.status === 400) throw new Error(`ingest refused a good batch: ${text}`);
  return answer.ok;
}

let countedBefore = 0;

/** Rows that the last victim's writers had acknowledged, against those that the store has. */
async function balance(
  url: string,
  victim: string,
  acknowledged: number,
  kills: number,
): Promise<BenchRow[]> {
  const deadline = Date.now() + BACK_MS_MAX;
  let stored = 0;
  let distinct = 0;
  for (;;) {
    [stored = 0, distinct = 0] = await ask(
      url,
      'SELECT Count(row) AS n, UniqExact(_id) AS u FROM l7_flow_log',
    );
    if (stored - countedBefore >= acknowledged || Date.now() > deadline) break;
    await sleep(200);
  }
  const row = { case: victim, unit: 'rows' };
  const lost = Math.max(0, acknowledged - (stored - countedBefore));
  countedBefore = stored;
  return [
    { case: victim, metric: 'kills', unit: 'kills', value: kills },
    { ...row, metric: 'acknowledged', value: acknowledged },
    { ...row, metric: 'lost', value: lost, reference: 0 },
    { ...row, metric: 'doubled', value: stored - distinct, reference: 0 },
  ];
}

async function killAgents(
  folder: string,
  url: string,
  kills: number,
  signal: AbortSignal,
  progress: (line: string) => void,
): Promise<BenchRow[]> {
  const spoolDir = join(folder, 'agent-spool');
  const start = (): ChildProcess =>
    run(['agent', '--server-url', url, '--spool-dir', spoolDir, '--status-port', '0']);
  const pair = await startNginxPair(PORTS);
  const others = programs();
  let programsLeft = 0;
  let agent = start();
  try {
    const load = saturate(pair.url, 16, Math.ceil((kills * AGENT_ROUND_MS) / 1e3) + 2);
    for (let kill = 0; kill < kills && !signal.aborted; kill += 1) {
      await until(() => programs().length > others.length);
      await sleep(AGENT_LIFE_MS);
      await killed(agent);
      await sleep(BETWEEN_KILLS_MS);
      programsLeft += programs().filter((id) => !others.includes(id)).length;
      agent = start();
      progress(`agent: ${kill + 1} of ${kills} kills`);
    }
    const { requests, errors } = await load;
    // A clean end sends what the killed ones had left in the spool.
    const ended = new Promise((resolve) => agent.once('exit', resolve));
    await until(() => programs().length > others.length);
    await sleep(2 * BETWEEN_KILLS_MS);
    agent.kill('SIGTERM');
    await ended;
    await sleep(2_000);
    const [stored = 0, distinct = 0] = await ask(
      url,
      'SELECT Count(row) AS n, UniqExact(_id) AS u FROM l7_flow_log',
    );
    const row = { case: 'agent' };
    return [
      { ...row, metric: 'kills', unit: 'kills', value: kills },
      { ...row, metric: 'requests_served', unit: 'requests', value: requests },
      { ...row, metric: 'requests_failed', unit: 'requests', value: errors, reference: 0 },
      { ...row, metric: 'rows_stored', unit: 'rows', value: stored - countedBefore },
      { ...row, metric: 'doubled', unit: 'rows', value: stored - distinct, reference: 0 },
      { ...row, metric: 'batches_left', unit: 'batches', value: batchesIn(spoolDir), reference: 0 },
      { ...row, metric: 'programs_left', unit: 'programs', value: programsLeft, reference: 0 },
    ];
  } finally {
    await killed(agent);
    pair.close();
  }
}

function run(words: readonly string[]): ChildProcess {
  // OTLP's own ports may be another server's; env(1) becomes the program, with the same pid.
  const off = ['THALWEG_SERVER_OTLP_GRPC_PORT=off', 'THALWEG_SERVER_OTLP_HTTP_PORT=off'];
  const child = spawn('env', [...off, process.execPath, CLI, ...words], { stdio: 'ignore' });
  // A second Ctrl-C ends this process at once: what it started goes with it.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** Kernel programs of ours, by id. */
function programs(): readonly string[] {
  const text = execFileSync('bpftool', ['prog', 'show'], { encoding: 'utf8' });
  return text.match(/^\d+(?=:.* name on_(?:send|receive|state))/gm) ?? [];
}

function batchesIn(folder: string): number {
  return readdirSync(folder).filter((name) => name.endsWith('.batch.gz')).length;
}

async function isReady(url: string): Promise<void> {
  await until(async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.ok === true);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + BACK_MS_MAX;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`nothing came back within ${BACK_MS_MAX} ms`);
    await sleep(50);
  }
}

async function ask(url: string, sql: string): Promise<number[]> {
  const sent = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql }),
  };
  const answer = await fetch(`${url}/v1/query/`, sent);
  const told = (await answer.json()) as { result: { values: unknown[][] } | null }; // Our own.
  if (told.result === null) throw new Error(JSON.stringify(told));
  return (told.result.values[0] ?? []).map(Number);
}
