import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOwnerAlive, runIdIn, runIdOf, runPrefix } from './run-id.ts';

export interface RunFolder {
  readonly path: string;
  /** Removes it and what is in it. Idempotent; also done when this process exits. */
  remove(): void;
}

/**
 * A new folder under the system's temporary one, named after this process; `name` is lower case
 * letters. Folders whose process is gone (it was killed) are removed on the way.
 */
export function makeRunFolder(name: string): RunFolder {
  removeStaleFolders();
  const path = mkdtempSync(join(tmpdir(), `${runPrefix(runIdOf(process.pid))}-${name}-`));
  const removeNow = (): void => rmSync(path, { recursive: true, force: true });
  process.once('exit', removeNow);
  return {
    path,
    remove: () => {
      process.off('exit', removeNow);
      removeNow();
    },
  };
}

/** Removes folders of runs whose owner is gone; one that belongs to another user stays. */
export function removeStaleFolders(): void {
  for (const name of readdirSync(tmpdir())) {
    const runId = runIdIn(name);
    if (runId === undefined || isOwnerAlive(runId)) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // Another user's: theirs to remove.
    }
  }
}
