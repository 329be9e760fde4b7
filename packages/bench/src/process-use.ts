import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that a process (all its threads) has used so far, in milliseconds; 10 ms steps. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime and stime are fields 14 and 15 of proc(5); USER_HZ is 100 on every Linux that we run on.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** CPU time of a single-threaded process in microseconds, exact: the scheduler's own count. */
export function scheduledUs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1e3;
}

/** As `scheduledUs`, all threads of a process together; those that have ended are not in it. */
export function threadsScheduledUs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`).map(Number);
  return tasks.reduce((sum, task) => sum + scheduledUs(task), 0);
}

/** Resident memory in megabytes. */
export function residentMb(pid: number): number {
  const line = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(line?.[1] ?? 0) / 1024;
}

/** Children of a process: nginx's workers, for one. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
