import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandPath } from './command-path.ts';
import { DemoError } from './demo-error.ts';
import { removeStaleFolders } from './run-folder.ts';
import { isOwnerAlive, runIdIn, runPrefix } from './run-id.ts';

// Hosts are network namespaces. The bridge that joins them lives in a namespace too (`lan`), so
// nothing appears in the machine's own network and nobody outside reaches the hosts.

export interface Host {
  readonly name: string;
  /** The network namespace, as `ip netns` names it. */
  readonly namespace: string;
  readonly address: string;
}

const NAMESPACES = '/run/netns';
const SUBNET = '10.77.0';
const SUBNET_BITS = 24;
/** All hosts, as CIDR. */
export const HOST_NETWORK = `${SUBNET}.0/${SUBNET_BITS}`;
const BRIDGE = 'lan0';
const KILL_ROUNDS_MAX = 20;
const KILL_WAIT_MS = 50;

/**
 * Whether hosts can be made, with `path` as PATH is written. Throws `DemoError`: no root, no `ip`,
 * no nginx. Answers where nginx is.
 */
export function requireMeans(path: string): string {
  if (process.getuid?.() !== 0) {
    throw new DemoError(
      'not_permitted',
      'the demo makes network namespaces, which needs root',
      'run it as root: sudo ./thalweg demo',
    );
  }
  const wanted = [
    { command: 'ip', package: 'iproute2' },
    { command: 'nginx', package: 'nginx-light' },
  ];
  const missing = wanted.filter(({ command }) => commandPath(command, path) === undefined);
  if (missing.length > 0) {
    throw new DemoError(
      'unavailable',
      `the demo needs ${missing.map(({ command }) => `\`${command}\``).join(' and ')}, not found in PATH`,
      `run scripts/install-system-packages.sh (it installs ${missing.map((one) => one.package).join(', ')})`,
    );
  }
  return commandPath('nginx', path) ?? 'nginx';
}

/** Makes one namespace for each name, joined by a bridge. Throws `DemoError`. */
export function createHosts<Name extends string>(
  runId: string,
  names: readonly Name[],
): Record<Name, Host> {
  const prefix = runPrefix(runId);
  const lan = `${prefix}-lan`;
  ip('netns', 'add', lan);
  ip('-n', lan, 'link', 'add', BRIDGE, 'type', 'bridge');
  ip('-n', lan, 'link', 'set', BRIDGE, 'up');
  const hosts = names.map((name, at): readonly [Name, Host] => {
    const namespace = `${prefix}-${name}`;
    const address = `${SUBNET}.${at + 1}`;
    ip('netns', 'add', namespace);
    ip('-n', lan, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('-n', lan, 'link', 'set', name, 'master', BRIDGE, 'up');
    ip('-n', namespace, 'address', 'add', `${address}/${SUBNET_BITS}`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    return [name, { name, namespace, address }];
  });
  return Object.fromEntries(hosts) as Record<Name, Host>; // One entry for each of `names`.
}

/** Where a run keeps its files. */
export function filesFolder(runId: string): string {
  return join(tmpdir(), `${runPrefix(runId)}-files`);
}

/**
 * Ends every process in the run's namespaces, removes them and the run's files. Synchronous, so
 * that it also runs when a process exits. Nothing there is no error.
 */
export function removeRun(runId: string): void {
  const namespaces = namesIn(NAMESPACES).filter((name) => runIdIn(name) === runId);
  for (let round = 0; round < KILL_ROUNDS_MAX; round += 1) {
    const pids = namespaces.flatMap(processesIn);
    if (pids.length === 0) break;
    for (const pid of pids) kill(pid);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, KILL_WAIT_MS);
  }
  for (const namespace of namespaces) spawnSync('ip', ['netns', 'del', namespace]);
  rmSync(filesFolder(runId), { recursive: true, force: true });
}

/** Removes what crashed runs left. Runs whose owner lives are not touched. */
export function removeLeftovers(): readonly string[] {
  const runs = new Set(namesIn(NAMESPACES).flatMap((name) => runIdIn(name) ?? []));
  const dead = [...runs].filter((runId) => !isOwnerAlive(runId));
  for (const runId of dead) removeRun(runId);
  removeStaleFolders();
  return dead;
}

/** Waits until `isDone`; throws `DemoError` with the last state when `limitMs` is over. */
export async function waitUntil(
  what: string,
  limitMs: number,
  isDone: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await isDone())) {
    if (performance.now() > deadlineMs) {
      throw new DemoError(
        'demo_failed',
        `${what}: not within ${limitMs} ms`,
        'look at the log above',
      );
    }
    await sleep(KILL_WAIT_MS);
  }
}

function ip(...args: readonly string[]): void {
  const { status, error, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (error !== undefined) {
    throw new DemoError(
      'unavailable',
      'the command `ip` did not start',
      'run scripts/install-system-packages.sh (it installs iproute2)',
      { cause: error },
    );
  }
  if (status === 0) return;
  const isRefused = /not permitted/i.test(stderr);
  throw new DemoError(
    isRefused ? 'not_permitted' : 'demo_failed',
    `\`ip ${args.join(' ')}\` answered ${status}: ${stderr.trim()}`,
    isRefused
      ? 'allow CAP_NET_ADMIN and CAP_SYS_ADMIN (a container needs --privileged)'
      : 'see above',
  );
}

function processesIn(namespace: string): readonly number[] {
  const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' });
  // Processes that live in a namespace of ours are ours; this one never joins any.
  return (stdout ?? '')
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // No namespace was ever named on this machine.
  }
}
