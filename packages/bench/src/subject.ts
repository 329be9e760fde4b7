import type { ChildProcess, fork as Fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** off: nothing in the kernel. filtered: attached, these sockets unwanted. full: all captured. */
export type SubjectState = 'off' | 'filtered' | 'full';

/** A real agent in a process of its own, whose probes can be switched while the load goes on. */
export interface Subject {
  readonly pid: number;
  become(state: SubjectState): Promise<void>;
  counters(): Promise<SubjectCounters>;
  close(): Promise<void>;
}

export interface SubjectCounters {
  /** Events lost so far. */
  readonly lost: number;
  /** How long traffic was looked at, and how long not, to keep within the CPU budget. */
  readonly lookedMs: number;
  readonly restedMs: number;
}

export type ToSubject =
  | { kind: 'become'; state: SubjectState }
  | { kind: 'counters' }
  | { kind: 'close' };
export type FromSubject =
  | { kind: 'ready' }
  | { kind: 'failed'; message: string }
  | { kind: 'counters'; counters: SubjectCounters };

const SETTLE_MS = 300;
/** An agent's counters are up to a second old. */
const STATUS_MS = 1_100;

/** `default`: as an agent runs. `unbounded`: whatever it takes, to see what full capture costs. */
export type SubjectBudget = 'default' | 'unbounded';

/** `fork` is node:child_process's; the agent's rows go to a sink that takes and forgets them. */
export async function startSubject(
  fork: typeof Fork,
  ports: readonly number[],
  budget: SubjectBudget = 'default',
): Promise<Subject> {
  const sink = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  const { port } = sink.address() as AddressInfo; // A TCP server's address is one.
  const isSource = import.meta.url.endsWith('.ts');
  const script = new URL(isSource ? './bench-subject.ts' : './bench-subject.js', import.meta.url);
  const child = fork(script, [String(port), ports.join(','), budget], {
    execArgv: isSource ? ['--conditions=@thalweg/source', '--import', 'tsx'] : [],
  });
  const first = await answer(child);
  if (first.kind === 'failed') {
    sink.close();
    throw new Error(`the agent did not start: ${first.message}`);
  }

  async function become(state: SubjectState): Promise<void> {
    child.send({ kind: 'become', state } satisfies ToSubject);
    await answer(child);
    await sleep(SETTLE_MS);
  }

  async function counters(): Promise<SubjectCounters> {
    await sleep(STATUS_MS);
    child.send({ kind: 'counters' } satisfies ToSubject);
    const told = await answer(child);
    if (told.kind === 'counters') return told.counters;
    throw new Error(`BUG: the agent's process answered ${told.kind}`);
  }

  async function close(): Promise<void> {
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.send({ kind: 'close' } satisfies ToSubject);
    await ended;
    sink.close();
  }

  return { pid: child.pid ?? 0, become, counters, close };
}

function answer(child: ChildProcess): Promise<FromSubject> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => {
      reject(new Error(`the agent's process ended with ${code}`));
    };
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as FromSubject); // Our own script's.
    });
  });
}
