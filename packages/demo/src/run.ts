import { removeLeftovers, removeRun } from './hosts.ts';
import { runIdOf } from './run-id.ts';

/**
 * Starts what `start` makes under this process's run id, whose hosts and files go with `remove`, at
 * the latest when the process exits. What was begun is removed when `start` throws.
 */
export async function startRun<Made>(
  start: (runId: string, remove: () => void) => Promise<Made>,
): Promise<Made> {
  removeLeftovers();
  const runId = runIdOf(process.pid);
  removeRun(runId);
  const removeAtExit = (): void => removeRun(runId);
  const remove = (): void => {
    process.off('exit', removeAtExit);
    removeRun(runId);
  };
  process.once('exit', removeAtExit);
  try {
    return await start(runId, remove);
  } catch (error) {
    remove();
    throw error;
  }
}
