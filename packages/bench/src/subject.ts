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
  /** Events lost so far. */
  lost(): Promise<number>;
  close(): Promise<void>;
}

export type ToSubject =
  | { kind: 'become'; state: SubjectState }
  | { kind: 'lost' }
  | { kind: 'close' };
export type FromSubject =
  | { kind: 'ready' }
  | { kind: 'failed'; message: string }
  | { kind: 'lost'; lost: number };

const SETTLE_MS = 300;

/** `fork` is node:child_process's; the agent's rows go to a sink that takes and forgets them. */
export async function startSubject(fork: typeof Fork, ports: readonly number[]): Promise<Subject> {
  const sink = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  const { port } = sink.address() as AddressInfo; // A TCP server's address is one.
  const isSource = import.meta.url.endsWith('.ts');
  const script = new URL(isSource ? './bench-subject.ts' : './bench-subject.js', import.meta.url);
  const child = fork(script, [String(port), ports.join(',')], {
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

  async function lost(): Promise<number> {
    child.send({ kind: 'lost' } satisfies ToSubject);
    const told = await answer(child);
    return told.kind === 'lost' ? told.lost : Number.NaN;
  }

  async function close(): Promise<void> {
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.send({ kind: 'close' } satisfies ToSubject);
    await ended;
    sink.close();
  }

  return { pid: child.pid ?? 0, become, lost, close };
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
