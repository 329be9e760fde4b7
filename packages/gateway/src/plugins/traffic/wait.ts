import { timerMs } from '../../core/timer-ms.ts';

/** Resolves after so long; the process may end before. */
export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, timerMs(ms));
  });
}
