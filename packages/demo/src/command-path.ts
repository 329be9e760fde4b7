import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian keeps what root runs; `su` without `-` leaves them out of PATH. */
const MORE_FOLDERS = ['/usr/sbin', '/sbin'];

/** The file that `command` names in `path` (as PATH is written), or undefined. */
export function commandPath(command: string, path: string): string | undefined {
  return [...path.split(delimiter), ...MORE_FOLDERS]
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, command))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
