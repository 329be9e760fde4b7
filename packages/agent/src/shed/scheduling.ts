import { readdirSync, readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import type { Addon } from '../kernel/addon.ts';

/** Niceness of the agent's main thread, which answers senders and uploads. */
const MAIN_NICE = 10;

/**
 * Lets the calling thread run only on CPU time that nothing else wants, so that a traced process
 * never waits for it. In a process of the agent's own V8's and libuv's helpers, who work for this
 * thread, follow it, and the main thread steps back by niceness: senders still get their answers.
 */
export function yieldCpu(addon: Pick<Addon, 'setIdle'>, sharesProcess: boolean): void {
  if (sharesProcess) {
    addon.setIdle(ownThread(), true);
    return;
  }
  for (const thread of readdirSync('/proc/self/task').map(Number)) {
    if (thread === process.pid) setPriority(thread, MAIN_NICE);
    else addon.setIdle(thread, true);
  }
}

/**
 * Does `work` at the usual priority: for reads that hold a lock of another process, which an idle
 * thread might not get to release for long. Source: /proc/PID/cmdline and environ hold its mmap_lock.
 */
export function atUsualPriority<T>(addon: Pick<Addon, 'setIdle'>, work: () => T): T {
  const thread = ownThread();
  addon.setIdle(thread, false);
  try {
    return work();
  } finally {
    addon.setIdle(thread, true);
  }
}

/** `/proc/thread-self` is a link to PID/task/TID. */
function ownThread(): number {
  return Number(basename(readlinkSync('/proc/thread-self')));
}
