import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Transfer } from '../flow/transfer.ts';
import { type Capture, type CaptureOptions, openCapture } from './capture.ts';

// What the kernel tests share: a capture of this host, what it saw, and system calls by name.

export const NO_FILTER = { ports: [], portsExcluded: [], pidsExcluded: [], namespaces: [] };
const RING_BYTES = 1 << 20;

export function openTestCapture(options: Partial<CaptureOptions>): Capture {
  return openCapture({ ringBytes: RING_BYTES, captureBytes: 512, filter: NO_FILTER, ...options });
}

export interface Seen extends Transfer {
  readonly text: string;
}

/** All transfers, or those of the port, copied out of the ring. */
export function collect(capture: Capture, port?: number): Seen[] {
  const seen: Seen[] = [];
  capture.drain((transfer) => {
    if (port !== undefined && ![transfer.localPort, transfer.remotePort].includes(port)) return;
    const { bytes, bytesAt, captured } = transfer;
    const text = new TextDecoder().decode(bytes.subarray(bytesAt, bytesAt + captured));
    seen.push({ ...transfer, text });
  });
  return seen;
}

/** `a` is a socket connected to `b`, whose port is printed; `ask()` prints and waits for a line. */
const PRELUDE = `
import os, socket, sys, tempfile
def ask(value):
    print(value, flush=True)
    sys.stdin.readline()
def pair():
    listener = socket.create_server(('127.0.0.1', 0))
    a = socket.create_connection(listener.getsockname())
    b, _ = listener.accept()
    return a, b, listener
a, b, listener = pair()
port = listener.getsockname()[1]
`;

/** A Python process that makes system calls which Node does not: sendfile, peeks, empty reads. */
export interface Caller {
  readonly process: ChildProcess;
  /** The next line that it prints. Rejects when it ends instead. */
  line(): Promise<string>;
  /** Lets an `ask()` go on. */
  go(): void;
  /** Resolves at its end; rejects unless it went well. */
  ended(): Promise<void>;
}

/** Runs `script` after the prelude; `through` is a command that starts it, `unshare` for one. */
export function startCaller(script: string, through: readonly string[] = []): Caller {
  const [command = 'python3', ...args] = [...through, 'python3', '-c', PRELUDE + script];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const end = once(child, 'exit');
  return {
    process: child,
    async line() {
      const next = await lines.next();
      if (next.done === true) throw new Error('python3 ended before it answered');
      return next.value;
    },
    go: () => void child.stdin.write('\n'),
    async ended() {
      const [status] = await end;
      if (status !== 0) throw new Error(`python3 ended with ${status}`);
    },
  };
}

export type BpfKind = 'prog' | 'map' | 'link';

/** Ids of what a process holds of a kind. Source: the fdinfo that the kernel's bpf files show. */
export function heldBy(pid: number, kind: BpfKind): number[] {
  const folder = `/proc/${pid}/fdinfo`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      const text = readFileSync(`${folder}/${fd}`, 'latin1');
      const id = new RegExp(`^${kind}_id:\\s+(\\d+)`, 'm').exec(text)?.[1];
      return id === undefined ? [] : [Number(id)];
    } catch {
      return []; // Closed meanwhile.
    }
  });
}

/** What bpftool says of the kernel's maps, programs or links. Throws where it is missing. */
export function bpftool(kind: BpfKind, ...words: readonly string[]): unknown {
  return JSON.parse(execFileSync('bpftool', ['-j', kind, ...words], { encoding: 'utf8' }));
}
