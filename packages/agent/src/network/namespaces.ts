import { readdirSync, readlinkSync, statSync } from 'node:fs';

/** A network namespace and a path by which it can be joined. */
export interface Namespace {
  /** Its inode number, as rows have it. */
  readonly netns: number;
  readonly path: string;
}

const NAMESPACES_MAX = 256;
const NAMED = '/run/netns';

/**
 * The network namespaces of this machine: the agent's own, those with a name (`ip netns`), and those
 * of processes; at most `NAMESPACES_MAX`, in this order. What vanishes meanwhile is left out.
 */
export function listNamespaces(procRoot = '/proc', named = NAMED): Namespace[] {
  const found = new Map<number, string>();
  const add = (path: string, netns: number | undefined): void => {
    if (netns === undefined || found.has(netns) || found.size >= NAMESPACES_MAX) return;
    found.set(netns, path);
  };
  add(`${procRoot}/self/ns/net`, linkedInode(`${procRoot}/self/ns/net`));
  for (const name of entries(named)) add(`${named}/${name}`, inodeOf(`${named}/${name}`));
  for (const name of entries(procRoot)) {
    if (!/^\d+$/.test(name)) continue;
    const path = `${procRoot}/${name}/ns/net`;
    add(path, linkedInode(path));
  }
  return [...found].map(([netns, path]) => ({ netns, path }));
}

/** Of `net:[4026531840]`: cheaper than a look at what the link leads to. */
function linkedInode(path: string): number | undefined {
  try {
    const inode = /\[(\d+)\]/.exec(readlinkSync(path))?.[1];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    return undefined;
  }
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

function entries(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
