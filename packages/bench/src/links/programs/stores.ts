import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended, freePort, type Neighbour, whenReady } from '../neighbours.ts';

/** Where Debian puts the server's programs; its version is part of it. */
const POSTGRESQL_FOLDERS = ['17', '16', '15', '14'].map((of) => `/usr/lib/postgresql/${of}/bin`);

export async function startRedis(): Promise<Neighbour> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', args, { stdio: 'ignore', cwd: tmpdir() });
  return whenReady(child, port, 'redis-server', () => ended(child, 'SIGTERM'));
}

/** Where the PostgreSQL server's programs are; undefined when it is not installed. */
export function postgresqlFolder(): string | undefined {
  return POSTGRESQL_FOLDERS.find((folder) => existsSync(`${folder}/initdb`));
}

/** A new cluster in a folder of its own. The server refuses to be root, so it is its Debian user. */
export async function startPostgresql(): Promise<Neighbour> {
  const programs = postgresqlFolder();
  if (programs === undefined) throw new Error('no PostgreSQL; fix: apt install postgresql');
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-links-postgresql-'));
  chmodSync(folder, 0o777);
  const data = join(folder, 'data');
  const port = await freePort();
  const asPostgres = ['--reuid=postgres', '--regid=postgres', '--init-groups'];
  const init = [`${programs}/initdb`, '-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync'];
  const made = spawnSync('setpriv', [...asPostgres, ...init], { encoding: 'utf8', cwd: folder });
  if (made.status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`initdb failed: ${made.stderr}`);
  }
  const serve = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder];
  const child = spawn('setpriv', [...asPostgres, `${programs}/postgres`, ...serve], {
    stdio: 'ignore',
    cwd: folder,
  });
  return whenReady(child, port, 'postgres', async () => {
    await ended(child, 'SIGINT');
    rmSync(folder, { recursive: true, force: true });
  });
}
