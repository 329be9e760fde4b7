import { existsSync, readFileSync } from 'node:fs';
import type { CaptureFilter } from '../capture-messages.ts';
import type { TransferSink } from '../flow/transfer.ts';
import { type Addon, type BpfObject, builtFile, loadAddon, type ProgramFacts } from './addon.ts';
import { createEventReader } from './event-reader.ts';
import { BYTES, CONFIG, EVENTS, FILTERED, LOST, NAMED, NO_STORAGE, SHED } from './events.gen.ts';
import { createFilter } from './filter.ts';
import { isAddonError, KernelError } from './kernel-error.ts';
import { key64 } from './keys.ts';
import { climb, RUNGS, type Rung } from './ladder.ts';
import { listListeners } from './listeners.ts';
import { openRing, walkRing } from './ring.ts';

export interface CaptureOptions {
  /** A power of two, and a multiple of the page size. */
  readonly ringBytes: number;
  /** Bytes copied of one transfer at most, up to 1024. */
  readonly captureBytes: number;
  readonly filter: CaptureFilter;
  /** Whether it may pause by itself when the ring is nearly full; otherwise it counts losses. */
  readonly isBounded?: boolean;
  /** Only this rung, whatever others would do. */
  readonly rung?: Rung | undefined;
  /** Where the kernel shows its types; its absence is an error. Tests point elsewhere. */
  readonly btfPath?: string;
  /** The object file of a rung, in place of the built one; for tests. */
  readonly objectOf?: (rung: Rung) => string;
}

/** Probes in the kernel, and what they reported since the last drain. */
export interface Capture {
  readonly rung: Rung;
  /** Why it does not stand higher; empty on the highest rung. */
  readonly reason: string;
  /** Why turns of event loops are not observed; empty when they are. */
  readonly loopTurnsReason: string;
  /** Hands on all transfers that are ready, in order. Answers how many. */
  drain(sink: TransferSink): number;
  /**
   * While paused nothing is told, but who connects to whom is still noted. Afterwards evidence
   * begins anew: what a thread or a socket did before says nothing any more.
   */
  setPaused(isPaused: boolean): void;
  /** Also true once the ring was nearly full: the kernel pauses by itself rather than lose a part. */
  readonly isPaused: boolean;
  /** events, lost, filtered, bytes, no_storage, named, shed: since the capture was opened. */
  counters(): Record<string, number>;
  /** The first of them, cheap enough for every drain. */
  events(): number;
  setFilter(filter: CaptureFilter): void;
  /** Add to a transfer's `atNs` to get nanoseconds since the epoch. */
  wallClockOffsetNs(): number;
  /** The loaded programs; none once closed. */
  programs(): readonly ProgramFacts[];
  /** Lets the kernel time each run, at about 80 ns a run, until this is closed. */
  measure(): void;
  /** Leaves nothing in the kernel. Idempotent. */
  close(): void;
}

export const BTF_PATH = '/sys/kernel/btf/vmlinux';
/** Object file and programs of each rung. */
const PARTS: Readonly<Record<Rung, { object: string; programs: readonly string[] }>> = {
  A: { object: 'capture.bpf.o', programs: ['on_send', 'on_receive', 'on_state'] },
  B: { object: 'capture-sysexit.bpf.o', programs: ['on_sys_exit', 'on_state'] },
};
/** Each tells that a thread waits for events. They need tracefs; without them links are weaker. */
const LOOP_PROGRAMS = ['on_epoll_wait', 'on_epoll_pwait'];
const COUNTERS = {
  events: EVENTS,
  lost: LOST,
  filtered: FILTERED,
  bytes: BYTES,
  no_storage: NO_STORAGE,
  named: NAMED,
  shed: SHED,
} as const;
const COUNTER_SLOTS = 8;
/** Fuller than this, a bounded capture pauses: whole requests are left out, not parts of many. */
const PAUSE_SHARE = 7 / 8;
const UINT32_MAX = 0xffff_ffff;

/** Loads and attaches the highest rung that this kernel takes. Throws `KernelError`. */
export function openCapture(options: CaptureOptions): Capture {
  const addon = loadAddon();
  const { btfPath = BTF_PATH, rung } = options;
  if (!existsSync(btfPath)) {
    throw new KernelError(
      'kernel_no_btf',
      `the kernel has no BTF at ${btfPath}`,
      'use a kernel built with CONFIG_DEBUG_INFO_BTF=y (Debian 12 and later have it)',
    );
  }
  const standing = climb(
    rung === undefined ? RUNGS : [rung],
    (tried) => start(addon, tried, options),
    mayLoadPrograms,
  );
  try {
    return begin(addon, standing.value, standing.rung, standing.reason, options);
  } catch (error) {
    addon.close(standing.value);
    throw error;
  }
}

/** Loads and attaches; the programs do nothing until `begin` enables them. */
function start(addon: Addon, rung: Rung, options: CaptureOptions): BpfObject {
  const { object: file, programs } = PARTS[rung];
  const path = options.objectOf?.(rung) ?? builtFile(file);
  if (!existsSync(path)) {
    throw new KernelError('kernel_addon_missing', `no kernel object at ${path}`, 'run: make build');
  }
  const object = addon.open(path);
  try {
    addon.setMaxEntries(object, 'events', options.ringBytes);
    addon.load(object);
    for (const program of programs) addon.attach(object, program);
    return object;
  } catch (error) {
    addon.close(object);
    throw error;
  }
}

function begin(
  addon: Addon,
  object: BpfObject,
  rung: Rung,
  reason: string,
  options: CaptureOptions,
): Capture {
  const ring = openRing(addon, object, 'events');
  const read = createEventReader(ring.words.buffer as ArrayBuffer); // From the addon, not shared.
  const config = new Uint32Array(addon.global(object, '.data'));
  const counts = new BigUint64Array(addon.global(object, '.bss'));
  const filter = createFilter(addon, object, config);
  const commit = (bytes: number): void => addon.commit(object, bytes);
  let isClosed = false;
  let last: Record<string, number> = {};

  config[CONFIG.captureBytes / 4] = options.captureBytes;
  config[CONFIG.pauseBytes / 4] =
    options.isBounded === true ? options.ringBytes * PAUSE_SHARE : UINT32_MAX;
  filter.apply(options.filter);
  for (const { netns, port } of listListeners()) {
    const key = key64((BigInt(netns) << 16n) | BigInt(port));
    addon.updateMap(object, 'listeners', key, Uint8Array.of(1));
  }
  const loopTurnsReason = attachLoopPrograms(addon, object);
  config[CONFIG.enabled / 4] = 1;

  function total(slot: number): number {
    let sum = 0;
    for (let at = slot; at < counts.length; at += COUNTER_SLOTS) sum += Number(counts[at] ?? 0n);
    return sum;
  }

  function counters(): Record<string, number> {
    if (isClosed) return last;
    return Object.fromEntries(Object.entries(COUNTERS).map(([name, slot]) => [name, total(slot)]));
  }

  return {
    rung,
    reason,
    loopTurnsReason,
    drain(sink) {
      if (isClosed) return 0;
      return walkRing(ring, (offset, length) => read(offset, length, sink), commit);
    },
    counters,
    events: () => (isClosed ? (last['events'] ?? 0) : total(EVENTS)),
    setFilter(changed) {
      if (!isClosed) filter.apply(changed);
    },
    setPaused(isPaused) {
      if (isClosed) return;
      if (!isPaused) config[CONFIG.generation / 4] = (config[CONFIG.generation / 4] ?? 0) + 1;
      config[CONFIG.isPaused / 4] = isPaused ? 1 : 0;
    },
    get isPaused() {
      return !isClosed && config[CONFIG.isPaused / 4] === 1;
    },
    programs: () => (isClosed ? [] : addon.programs(object)),
    measure() {
      if (!isClosed) addon.measure(object);
    },
    wallClockOffsetNs: addon.wallClockOffset,
    close() {
      if (isClosed) return;
      last = counters();
      isClosed = true;
      addon.close(object);
    },
  };
}

function attachLoopPrograms(addon: Addon, object: BpfObject): string {
  try {
    for (const program of LOOP_PROGRAMS) addon.attach(object, program);
    return '';
  } catch (error) {
    if (!isAddonError(error)) throw error;
    return error.message;
  }
}

/**
 * Whether this process holds CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN in their place; a root user
 * may lack them, and another user may have them. Source: capabilities(7), proc_pid_status(5).
 */
function mayLoadPrograms(): boolean {
  const [sysAdmin, perfmon, bpf] = [21n, 38n, 39n].map((bit) => 1n << bit);
  const text = /CapEff:\s*([0-9a-f]+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  const held = BigInt(`0x${text ?? '0'}`);
  const has = (capability = 0n): boolean => (held & capability) !== 0n;
  return has(sysAdmin) || (has(perfmon) && has(bpf));
}
