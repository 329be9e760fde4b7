import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DemoError } from './demo-error.ts';
import type { Host } from './hosts.ts';

const START_MS = 15_000;
const LINE_LENGTH_MAX = 1 << 20;

/** A program that runs on one of the demo's hosts. */
export interface HostProcess {
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** The next line of its stdout. Rejects when it ends first. */
  line(limitMs: number): Promise<string>;
  write(line: string): void;
  readonly isRunning: boolean;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

/** Starts one of our services, by `wrapper` if given, and waits until it says `ready`. */
export async function startService(
  host: Host,
  script: 'orders' | 'stock' | 'client' | 'shop-service' | 'telemetry-relay',
  args: readonly string[],
  wrapper: readonly string[] = [],
): Promise<HostProcess> {
  const isSource = import.meta.url.endsWith('.ts');
  const url = new URL(isSource ? `./services/${script}.ts` : `./${script}.js`, import.meta.url);
  const loader = isSource ? ['--conditions=@thalweg/source', '--import=tsx'] : [];
  const command = [...wrapper, process.execPath, ...loader, fileURLToPath(url), ...args];
  const started = startOn(host, host.name, command);
  const word = await started.line(START_MS);
  if (word === 'ready') return started;
  throw new DemoError('demo_failed', `${host.name} said "${word}" in place of ready`, 'see above');
}

/** Starts `command` in the host's namespace; `ip netns exec` becomes it, so the pid is its own. */
export function startOn(host: Host, name: string, command: readonly string[]): HostProcess {
  // In a session of its own: Ctrl-C in a terminal reaches its owner alone, who ends it in order.
  const child = spawn('ip', ['netns', 'exec', host.namespace, ...command], { detached: true });
  const lines: string[] = [];
  const waiting: ((line: string | undefined) => void)[] = [];
  let isRunning = true;
  let complaint = '';
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = (parts.pop() ?? '').slice(-LINE_LENGTH_MAX);
    for (const part of parts) hand(part);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2_000);
  });
  const whenEnded = new Promise<void>((resolve) => {
    for (const event of ['error', 'exit']) {
      child.once(event, () => {
        ended();
        resolve();
      });
    }
  });
  ignoreBrokenPipe(child);

  function hand(part: string): void {
    const next = waiting.shift();
    if (next === undefined) lines.push(part);
    else next(part);
  }
  function ended(): void {
    isRunning = false;
    for (const next of waiting.splice(0)) next(undefined);
  }

  async function line(limitMs: number): Promise<string> {
    const kept = lines.shift();
    if (kept !== undefined) return kept;
    const got = isRunning ? await nextLine(limitMs) : undefined;
    if (got !== undefined) return got;
    const why = isRunning ? `said nothing for ${limitMs} ms` : 'ended';
    throw new DemoError('demo_failed', `${name} ${why}: ${complaint.trim()}`, 'see above');
  }

  function nextLine(limitMs: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(settle), 1);
        resolve(undefined);
      }, limitMs);
      function settle(text: string | undefined): void {
        clearTimeout(timer);
        resolve(text);
      }
      waiting.push(settle);
    });
  }

  return {
    name,
    host: host.name,
    pid: child.pid ?? 0,
    line,
    write: (text) => child.stdin.write(`${text}\n`),
    get isRunning() {
      return isRunning;
    },
    ended: whenEnded,
  };
}

/** Writing to a process that has just ended is answered by `line`, not by a crash here. */
function ignoreBrokenPipe(child: ChildProcessWithoutNullStreams): void {
  child.stdin.on('error', () => undefined);
}
