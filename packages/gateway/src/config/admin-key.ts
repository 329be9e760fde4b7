import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'admin-key';

/** The key kept in the folder (mode 0600); made at the first start, and then `isNew`. */
export function ownAdminKey(folder: string): {
  readonly key: string;
  readonly isNew: boolean;
  readonly path: string;
} {
  const path = join(folder, FILE);
  if (existsSync(path)) return { key: readFileSync(path, 'utf8').trim(), isNew: false, path };
  const key = randomBytes(24).toString('base64url');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(path, `${key}\n`, { mode: 0o600, flag: 'wx' });
  return { key, isNew: true, path };
}
