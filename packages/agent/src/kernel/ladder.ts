import { isAddonError, KernelError } from './kernel-error.ts';

/** What capture stands on. A: socket tracepoints. B: the end of every system call. */
export type Rung = 'A' | 'B';

/** Highest first. */
export const RUNGS: readonly Rung[] = ['A', 'B'];

const TRIES_MAX = 5;

export interface Standing<T> {
  readonly rung: Rung;
  readonly value: T;
  /** Why it does not stand higher; empty on the first rung of those that may be tried. */
  readonly reason: string;
}

/**
 * Tries the rungs in order and answers the first that holds. `mayLoad` tells whether this process
 * has the right to load programs: without it a refusal says nothing about the kernel.
 * Throws `kernel_permission`, or `kernel_unsupported` with the reason of each rung.
 */
export function climb<T>(
  rungs: readonly Rung[],
  attempt: (rung: Rung) => T,
  mayLoad: () => boolean,
): Standing<T> {
  const refusals: string[] = [];
  for (const rung of rungs) {
    try {
      return { rung, value: patiently(() => attempt(rung)), reason: refusals.join('; ') };
    } catch (error) {
      if (!isAddonError(error)) throw error;
      if (error.code === 'EPERM' && !mayLoad()) {
        throw new KernelError(
          'kernel_permission',
          'the kernel refuses to load capture programs',
          'run as root, or with the capabilities CAP_BPF and CAP_PERFMON',
          { cause: error },
        );
      }
      refusals.push(`rung ${rung}: ${error.message}${lastLine(error.log)}`);
    }
  }
  throw new KernelError(
    'kernel_unsupported',
    `no way to capture on this kernel: ${refusals.join('; ')}`,
    rungs.length < RUNGS.length
      ? `set rung to auto: only rung ${rungs.join()} was tried`
      : 'use Linux 6.3 or later (rung A) or 5.15 or later (rung B), built with CONFIG_BPF_SYSCALL',
  );
}

/** The verifier gives up with EAGAIN when a signal comes meanwhile, as a profiler's does. */
export function patiently<T>(attempt: () => T): T {
  for (let tries = 1; ; tries += 1) {
    try {
      return attempt();
    } catch (error) {
      if (!isAddonError(error) || error.code !== 'EAGAIN' || tries === TRIES_MAX) throw error;
    }
  }
}

/** The verifier's or libbpf's last words, which name what was refused. */
function lastLine(log: string): string {
  const line = log.trim().split('\n').pop();
  return line === undefined || line === '' ? '' : ` (${line.slice(0, 200)})`;
}
