import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { KernelError } from './kernel-error.ts';

/** One opened object file: its programs, maps and attachments. */
export type BpfObject = object & { readonly brand: 'bpf-object' };

/** The addon's functions, as native/addon.cc documents them. They throw `{ code, errno, log }`. */
export interface Addon {
  open(path: string): BpfObject;
  setMaxEntries(object: BpfObject, map: string, entries: number): void;
  load(object: BpfObject): void;
  attach(object: BpfObject, program: string): void;
  programs(object: BpfObject): ProgramFacts[];
  measure(object: BpfObject): void;
  /** Runs `program` at an interface of the network namespace at `path`; answers what detaches it. */
  attachInterface(
    object: BpfObject,
    program: string,
    path: string,
    ifindex: number,
    isIngress: boolean,
  ): number;
  detachInterface(object: BpfObject, attachment: number): void;
  /** Of the network namespace at `path`, such as /proc/1/ns/net. */
  interfaces(path: string): NetworkInterface[];
  /** Fills `value`; false when the key is not there. */
  lookUpMap(object: BpfObject, map: string, key: Uint8Array, value: Uint8Array): boolean;
  updateMap(object: BpfObject, map: string, key: Uint8Array, value: Uint8Array): void;
  deleteFromMap(object: BpfObject, map: string, key: Uint8Array): void;
  global(object: BpfObject, section: '.data' | '.bss'): ArrayBuffer;
  ring(object: BpfObject, map: string): RingMemory;
  commit(object: BpfObject, bytes: number): void;
  close(object: BpfObject): void;
  /** `thread` is the kernel's id of a thread of this process. */
  setIdle(thread: number, isIdle: boolean): void;
  /** Nanoseconds that lead from the monotonic clock to the clock of the day, to a microsecond. */
  wallClockOffset(): number;
  /** CPU that the calling thread has used. */
  threadCpuSeconds(): number;
}

/** One loaded program. `runs` and `runNs` count while its object is measured. */
export interface ProgramFacts {
  readonly name: string;
  readonly instructions: number;
  /** Instructions that the verifier went through, on all paths; 0 before Linux 5.16. */
  readonly verified: number;
  readonly runs: number;
  readonly runNs: number;
}

/** A network interface, as its own namespace knows it. */
export interface NetworkInterface {
  /** Unique in its namespace only. */
  readonly index: number;
  readonly name: string;
  readonly isLoopback: boolean;
  readonly isUp: boolean;
  /** As text: IPv4 with dots, IPv6 by RFC 5952. */
  readonly addresses: readonly string[];
}

export interface RingMemory {
  /** The ring's bytes, and a page of its beginning again, which is longer than any record. */
  readonly data: ArrayBuffer;
  /** Bytes of the ring itself. */
  readonly size: number;
  readonly producer: ArrayBuffer;
  readonly consumer: ArrayBuffer;
}

/** Where `make build` puts the addon and the objects: seen from the sources and from a bundle. */
const FOLDER = import.meta.url.endsWith('.ts') ? '../../build/' : '../../agent/build/';

export function builtFile(name: string): string {
  return fileURLToPath(new URL(FOLDER + name, import.meta.url));
}

let loaded: Addon | undefined;

/** Loads the addon, once. Throws `kernel_addon_missing` where it was not built. */
export function loadAddon(): Addon {
  if (loaded !== undefined) return loaded;
  const path = builtFile('thalweg_bpf.node');
  try {
    loaded = createRequire(import.meta.url)(path) as Addon; // Declared beside native/addon.cc.
    return loaded;
  } catch (cause) {
    if (!existsSync(path)) {
      throw new KernelError('kernel_addon_missing', `no addon at ${path}`, 'run: make build');
    }
    throw new KernelError(
      'kernel_addon_missing',
      `the addon at ${path} does not load: ${cause instanceof Error ? cause.message : cause}`,
      'install libbpf1 and run: make build',
      { cause },
    );
  }
}
