import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A listening TCP port in a network namespace (its inode number). */
export interface Listener {
  readonly netns: number;
  readonly port: number;
}

const LISTENERS_MAX = 8192;
const STATE_LISTEN = '0A';

/**
 * All listening TCP ports of the host, of every network namespace that has a process: the role of
 * sockets that are older than the agent follows from them. Processes that vanish meanwhile, or
 * that may not be looked at, are skipped. Source: proc(5), /proc/PID/net/tcp.
 */
export function listListeners(procRoot = '/proc'): Listener[] {
  const found: Listener[] = [];
  const seen = new Set<number>();
  for (const entry of readdirSync(procRoot)) {
    if (!/^\d+$/.test(entry)) continue;
    const netns = namespaceOf(`${procRoot}/${entry}/ns/net`);
    if (netns === 0 || seen.has(netns)) continue;
    seen.add(netns);
    const ports = new Set<number>();
    for (const table of ['tcp', 'tcp6']) {
      for (const port of listening(`${procRoot}/${entry}/net/${table}`)) ports.add(port);
    }
    for (const port of ports) found.push({ netns, port });
    if (found.length >= LISTENERS_MAX) break;
  }
  return found.slice(0, LISTENERS_MAX);
}

function namespaceOf(link: string): number {
  try {
    return Number(/\d+/.exec(readlinkSync(link))?.[0] ?? 0);
  } catch {
    return 0;
  }
}

function listening(table: string): number[] {
  let text: string;
  try {
    text = readFileSync(table, 'latin1');
  } catch {
    return [];
  }
  const ports: number[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/);
    if (state === STATE_LISTEN) ports.push(Number.parseInt(local?.split(':')[1] ?? '0', 16));
  }
  return ports;
}
