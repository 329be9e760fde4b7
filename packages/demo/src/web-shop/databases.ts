import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { commandPath } from '../command-path.ts';
import { DemoError } from '../demo-error.ts';
import { fileText } from '../file-text.ts';
import { type HostProcess, startOn } from '../host-process.ts';
import { HOST_NETWORK, type Host, waitUntil } from '../hosts.ts';
import { SHOP_PORTS } from './addresses.ts';

const START_MS = 20_000;
const POSTGRES_VERSIONS = '/usr/lib/postgresql';
/** PostgreSQL refuses to run as root. */
const AS_POSTGRES = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'];
const FIX = 'run scripts/install-system-packages.sh (it installs postgresql and redis-server)';

/** Folder of the newest PostgreSQL's programs and the path of Redis. Throws `DemoError`. */
export function requireDatabases(path: string): { postgres: string; redis: string } {
  const redis = commandPath('redis-server', path);
  const version = versions().at(-1);
  if (version !== undefined && redis !== undefined) {
    return { postgres: join(POSTGRES_VERSIONS, version, 'bin'), redis };
  }
  const missing = redis === undefined ? 'redis-server' : `${POSTGRES_VERSIONS}/VERSION/bin`;
  throw new DemoError('unavailable', `the web shop needs ${missing}, which is not there`, FIX);
}

/** Starts a PostgreSQL of its own in `folder`, which keeps nothing. Throws `DemoError`. */
export async function startPostgres(
  host: Host,
  programs: string,
  folder: string,
): Promise<HostProcess> {
  const data = join(folder, 'postgres');
  mkdirSync(data, { mode: 0o700 });
  run('chown', 'postgres', data);
  run(
    ...AS_POSTGRES,
    join(programs, 'initdb'),
    '-D',
    data,
    '-A',
    'trust',
    '--no-sync',
    '--locale=C',
  );
  appendFileSync(join(data, 'pg_hba.conf'), `host all all ${HOST_NETWORK} trust\n`);
  const settings = [`listen_addresses=${host.address}`, 'unix_socket_directories=', 'fsync=off'];
  const process = startOn(host, 'postgres', [
    ...AS_POSTGRES,
    join(programs, 'postgres'),
    ...['-D', data, '-p', `${SHOP_PORTS.postgres}`],
    ...settings.flatMap((setting) => ['-c', setting]),
  ]);
  // The last line of its pid file says how far it is.
  await waitUntil('PostgreSQL is ready', START_MS, async () => {
    if (!process.isRunning) await process.line(0); // Throws what it complained of.
    return /^ready/m.test(fileText(join(data, 'postmaster.pid')));
  });
  return process;
}

/** Starts a Redis of its own, which keeps nothing. Throws `DemoError`. */
export async function startRedis(host: Host, program: string): Promise<HostProcess> {
  const where = ['--bind', host.address, '--port', `${SHOP_PORTS.redis}`, '--protected-mode', 'no'];
  const process = startOn(host, 'redis', [program, ...where, '--save', '', '--daemonize', 'no']);
  while (!(await process.line(START_MS)).includes('Ready to accept connections'));
  return process;
}

function run(...[command = '', ...args]: readonly string[]): void {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: '/' });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim();
  throw new DemoError('demo_failed', `\`${command} ${args.join(' ')}\`: ${why}`, FIX);
}

function versions(): readonly string[] {
  try {
    return readdirSync(POSTGRES_VERSIONS).sort((a, b) => Number(a) - Number(b));
  } catch {
    return [];
  }
}
