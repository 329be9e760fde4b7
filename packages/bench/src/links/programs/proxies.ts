import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended, freePort, type Neighbour, whenReady } from '../neighbours.ts';
import { findCommand } from './available.ts';

/** HAProxy in HTTP mode; connections to the server are used again as its defaults do. */
export async function startHaproxy(next: number, threads: number): Promise<Neighbour> {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-links-haproxy-'));
  const port = await freePort();
  const config = join(folder, 'haproxy.cfg');
  writeFileSync(
    config,
    `global
  maxconn 4096
  nbthread ${threads}
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port}
  default_backend next
backend next
  server one 127.0.0.1:${next}
`,
  );
  const child = spawn(findCommand('haproxy') ?? 'haproxy', ['-db', '-f', config], {
    stdio: 'ignore',
  });
  return whenReady(child, port, 'haproxy', async () => {
    await ended(child, 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });
}

/** Caddy, a Go program: goroutines that any thread of the process carries on. */
export async function startCaddy(next: number): Promise<Neighbour> {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-links-caddy-'));
  const port = await freePort();
  const config = join(folder, 'Caddyfile');
  writeFileSync(
    config,
    `{
  admin off
  auto_https off
}
:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${next}
}
`,
  );
  const child = spawn(
    findCommand('caddy') ?? 'caddy',
    ['run', '--config', config, '--adapter', 'caddyfile'],
    {
      stdio: 'ignore',
      env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    },
  );
  return whenReady(child, port, 'caddy', async () => {
    await ended(child, 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });
}
