import { readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Files that are no longer needed, to be written over: a write to blocks that a file has is on disk
 * after one errand, where one that makes it longer waits for the file's size too.
 */
export interface SpareFiles {
  /** Takes the file out of the way, by another name or for good. */
  retire(path: string, bytes: number): Promise<void>;
  /** Gives one the name, with what is in it; false when there is none. Sync the directory then. */
  reuse(path: string): Promise<boolean>;
  /** Gives their room back. */
  drop(): Promise<void>;
}

/** As many as are written at one time by tables that have much to write. */
const SPARES_MAX = 2;
/** Shorter ones are not worth a place. */
const SPARE_BYTES_MIN = 2 ** 20;
const NAME = /^spare-\d+$/;

/** Removes those of an earlier run. */
export async function openSpareFiles(directory: string): Promise<SpareFiles> {
  let spares: string[] = [];
  let sequence = 0;
  for (const name of await readdir(directory)) {
    if (NAME.test(name)) await unlink(join(directory, name));
  }

  return {
    retire: async (path, bytes) => {
      if (bytes < SPARE_BYTES_MIN || spares.length >= SPARES_MAX) {
        await unlink(path);
        return;
      }
      const spare = join(directory, `spare-${sequence++}`);
      await rename(path, spare);
      spares.push(spare);
    },
    reuse: async (path) => {
      const spare = spares.pop();
      if (spare === undefined) return false;
      await rename(spare, path);
      return true;
    },
    drop: async () => {
      const dropped = spares;
      spares = [];
      for (const spare of dropped) await unlink(spare);
    },
  };
}
