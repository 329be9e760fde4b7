import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ended, type Neighbour, startNginx } from '../neighbours.ts';
import type { Missing } from './available.ts';

const FOLDER = '/usr/sbin';
/** As many requests are worked on at once; further ones wait at the socket. */
const WORKERS = 8;
const START_MS = 10_000;

/** Debian's name of it ends in PHP's version. */
function phpFpm(): string | undefined {
  const name = readdirSync(FOLDER).find((file) => /^php-fpm\d/.test(file));
  return name === undefined ? undefined : join(FOLDER, name);
}

export const needsPhpFpm: Missing = () =>
  phpFpm() === undefined ? 'PHP-FPM is not installed; fix: apt install php-fpm' : undefined;

/** nginx before PHP-FPM on a unix-domain socket, whose script calls `next` for each request. */
export async function startPhp(next: number): Promise<Neighbour> {
  const program = phpFpm();
  if (program === undefined) throw new Error('no PHP-FPM; fix: apt install php-fpm');
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-links-php-'));
  const socket = join(folder, 'fpm.sock');
  const script = join(folder, 'index.php');
  const config = join(folder, 'fpm.conf');
  writeFileSync(
    script,
    `<?php
$id = explode('/', $_SERVER['REQUEST_URI'])[2];
file_get_contents("http://127.0.0.1:${next}/c/$id/0");
echo 'ok';
`,
  );
  writeFileSync(
    config,
    `[global]
daemonize = no
error_log = ${folder}/log
[www]
user = root
group = root
listen = ${socket}
listen.backlog = 1024
pm = static
pm.max_children = ${WORKERS}
`,
  );
  const fpm = spawn(program, ['-n', '-R', '-y', config], { stdio: 'ignore' });
  const close = async (): Promise<void> => {
    await ended(fpm, 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await appears(socket, () => fpm.exitCode);
    const front = await startNginx(
      (port) => `server { listen 127.0.0.1:${port} backlog=4096;
    location / { fastcgi_param SCRIPT_FILENAME ${script}; include /etc/nginx/fastcgi_params; fastcgi_pass unix:${socket}; } }`,
      { workers: 1 },
    );
    return {
      ...front,
      close: async () => {
        await front.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function appears(socket: string, exitCode: () => number | null): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!existsSync(socket)) {
    if (exitCode() !== null) throw new Error(`php-fpm ended with ${exitCode()}`);
    if (Date.now() > deadline) throw new Error(`php-fpm does not listen on ${socket}`);
    await sleep(50);
  }
}
