import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { serviceName } from './service-name.ts';

/** What a row says about the process that was observed. */
export interface ProcessFacts {
  /** The kernel's name of the process, at most 15 characters. */
  readonly kname: string;
  readonly service: string;
  /** 64 hex digits, or '' outside a container. */
  readonly containerId: string;
  /** Host and pid: `gateway:4711`. */
  readonly instance: string;
  /** The named network namespace that it lives in, else the machine's name. */
  readonly host: string;
}

export interface ProcessTable {
  /** Facts of `pid`, read once. A process that is gone already keeps what the kernel told. */
  facts(pid: number, comm: string, netns: number): ProcessFacts;
  /** The same for processes that run the same program in the same way, a digest; '' when it is gone. */
  program(pid: number): string;
  /** Name of a network namespace; the machine's where it has none. */
  hostOf(netns: number): string;
  /** Forgets `pid`s that no longer run, so that a reused number is read afresh. */
  sweep(): void;
  readonly size: number;
}

const PROCESSES_MAX = 32_768;
const CONTAINER_ID = /[0-9a-f]{64}/;
const NAMED_NAMESPACES = '/run/netns';

export interface ProcessTableOptions {
  /** Wrapped around the reads of a process's own memory. */
  readonly around?: <Read>(read: () => Read) => Read;
}

/** Reads `/proc`. Errors of a vanishing process are no errors. */
export function createProcessTable({
  around = (read) => read(),
}: ProcessTableOptions = {}): ProcessTable {
  const machine = hostname();
  const known = new Map<number, { facts: ProcessFacts; startTime: string }>();
  const namespaceNames = new Map<number, string>();

  function facts(pid: number, comm: string, netns: number): ProcessFacts {
    const cached = known.get(pid);
    if (cached !== undefined && cached.facts.kname === comm) return cached.facts;
    if (known.size >= PROCESSES_MAX) known.clear();
    const read = around(() => readFacts(pid, comm, netns));
    known.set(pid, { facts: read, startTime: startTime(pid) });
    return read;
  }

  function readFacts(pid: number, comm: string, netns: number): ProcessFacts {
    const host = hostOf(netns);
    return {
      kname: comm,
      service: serviceName(comm, commandLine(pid), otelServiceName(pid)),
      containerId: CONTAINER_ID.exec(text(`/proc/${pid}/cgroup`))?.[0] ?? '',
      instance: `${host}:${pid}`,
      host,
    };
  }

  function program(pid: number): string {
    const line = around(() => text(`/proc/${pid}/cmdline`));
    return line === '' ? '' : createHash('sha256').update(line).digest('base64');
  }

  function hostOf(netns: number): string {
    if (netns === 0) return machine;
    const named = namespaceNames.get(netns);
    if (named !== undefined) return named;
    for (const name of entries(NAMED_NAMESPACES)) {
      const inode = inodeOf(`${NAMED_NAMESPACES}/${name}`);
      if (inode !== undefined) namespaceNames.set(inode, name);
    }
    const found = namespaceNames.get(netns) ?? machine;
    namespaceNames.set(netns, found);
    return found;
  }

  function sweep(): void {
    for (const [pid, { startTime: seen }] of known) {
      if (startTime(pid) !== seen) known.delete(pid);
    }
    namespaceNames.clear();
  }

  function commandLine(pid: number): readonly string[] {
    return text(`/proc/${pid}/cmdline`).split('\0').slice(0, 8);
  }

  /** The one variable that OpenTelemetry defines for this; no other is looked at or kept. */
  function otelServiceName(pid: number): string {
    const environment = text(`/proc/${pid}/environ`);
    return /(?:^|\0)OTEL_SERVICE_NAME=([^\0]+)/.exec(environment)?.[1] ?? '';
  }

  /** Field 22 of /proc/PID/stat: tells a reused pid from the one that was read. */
  function startTime(pid: number): string {
    const stat = text(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  }

  return {
    facts,
    program,
    hostOf,
    sweep,
    get size() {
      return known.size;
    },
  };
}

/** The text of a file in /proc; '' when the process is gone or may not be read. */
function text(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function entries(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}
