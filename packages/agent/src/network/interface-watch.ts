import type { NetworkInterface } from '../kernel/addon.ts';
import type { Namespace } from './namespaces.ts';
import type { Position } from './position.ts';

/** What the watch needs of the kernel side. */
export interface InterfaceSource {
  interfaces(path: string): readonly NetworkInterface[];
  /** Answers how to stop. */
  attach(path: string, ifindex: number): () => void;
}

export interface InterfaceWatchOptions {
  readonly source: InterfaceSource;
  readonly namespaces: () => readonly Namespace[];
  /** Names; `*` stands for any letters. Loopback is taken only where it is named as it is. */
  readonly names: readonly string[];
}

export interface InterfaceWatch {
  /** Looks which interfaces there are, attaches to new ones and lets go of those that went. */
  follow(): void;
  /** Name of an interface that is looked at; '' when it is not. */
  nameOf(netns: number, ifindex: number): string;
  /** Where an interface is between two addresses. */
  positionOf(netns: number, clientIp: string, serverIp: string): Omit<Position, 'isRequestIngress'>;
  gauges(): {
    readonly interfaces: number;
    readonly namespaces: number;
    /** Interfaces that could not be looked at, or that were too many. */
    readonly interfaces_refused: number;
  };
  /** Why the last interface was refused; '' when none was. */
  reason(): string;
  close(): void;
}

const INTERFACES_MAX = 1_024;

interface Watched {
  readonly name: string;
  readonly detach: () => void;
}

export function createInterfaceWatch(options: InterfaceWatchOptions): InterfaceWatch {
  const { source } = options;
  const isWanted = nameMatcher(options.names);
  /** By namespace and index. */
  const watched = new Map<string, Watched>();
  const refused = new Map<string, string>();
  let addresses: ReadonlyMap<number, ReadonlySet<string>> = new Map();
  let near: ReadonlySet<string> = new Set();

  function follow(): void {
    const there = new Set<string>();
    const found = new Map<number, ReadonlySet<string>>();
    for (const { netns, path } of options.namespaces()) {
      const list = interfacesAt(path);
      // What does not tell its interfaces is just going, or may not be entered: nothing new of it.
      if (list === undefined) continue;
      found.set(netns, new Set(list.flatMap((one) => one.addresses)));
      for (const one of list) {
        if (!isWanted(one)) continue;
        const key = keyOf(netns, one.index);
        there.add(key);
        if (!watched.has(key)) attach(key, path, one);
      }
    }
    for (const [key, { detach }] of watched) {
      if (there.has(key)) continue;
      detach();
      watched.delete(key);
    }
    for (const key of refused.keys()) if (!there.has(key)) refused.delete(key);
    addresses = found;
    near = new Set(
      [...found.values()].flatMap((some) => [...some].filter((address) => !isLoopback(address))),
    );
  }

  function interfacesAt(path: string): readonly NetworkInterface[] | undefined {
    try {
      return source.interfaces(path);
    } catch {
      return undefined;
    }
  }

  function attach(key: string, path: string, { index, name }: NetworkInterface): void {
    if (watched.size >= INTERFACES_MAX) {
      refused.set(key, `more than ${INTERFACES_MAX} interfaces`);
      return;
    }
    try {
      watched.set(key, { name, detach: source.attach(path, index) });
      refused.delete(key);
    } catch (error) {
      refused.set(key, `${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  return {
    follow,
    nameOf: (netns, ifindex) => watched.get(keyOf(netns, ifindex))?.name ?? '',
    positionOf(netns, clientIp, serverIp) {
      const inside = addresses.get(netns);
      return {
        isClientInside: inside?.has(clientIp) === true,
        isServerInside: inside?.has(serverIp) === true,
        isClientNear: near.has(clientIp),
        isServerNear: near.has(serverIp),
      };
    },
    gauges: () => ({
      interfaces: watched.size,
      namespaces: addresses.size,
      interfaces_refused: refused.size,
    }),
    reason: () => [...refused.values()].at(-1) ?? '',
    close() {
      for (const { detach } of watched.values()) detach();
      watched.clear();
    },
  };
}

function keyOf(netns: number, ifindex: number): string {
  return `${netns} ${ifindex}`;
}

/** Every namespace has these: they say nothing about where an address lives. */
function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function nameMatcher(names: readonly string[]): (one: NetworkInterface) => boolean {
  const patterns = names.map((name) => {
    const parts = name.split('*').map((part) => part.replace(/[^\w-]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`);
  });
  return ({ name, isLoopback: isLo }) =>
    isLo ? names.includes(name) : patterns.some((pattern) => pattern.test(name));
}
