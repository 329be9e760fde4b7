import { readFileSync } from 'node:fs';

/**
 * Names one run by its owner: process id and start time, so that whoever finds what it left can
 * tell a crashed run from a running one, also when the process id was given out again.
 */
export function runIdOf(pid: number): string {
  return `${pid}x${startTicks(pid) ?? '0'}`;
}

/** Every name that a run makes on the machine: namespaces and folders are `<prefix>-<name>…`. */
export function runPrefix(runId: string): string {
  return `thalweg-${runId}`;
}

/** The run that `name` belongs to; undefined for a name that is not ours. */
export function runIdIn(name: string): string | undefined {
  return /^thalweg-(\d+x\d+)-[a-z]/.exec(name)?.[1];
}

export function isOwnerAlive(runId: string): boolean {
  const [pid, ticks] = runId.split('x');
  return startTicks(Number(pid)) === ticks;
}

/** Field 22 of /proc/PID/stat (proc(5)); undefined when there is no such process. */
function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
