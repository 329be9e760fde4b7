import { existsSync, readFileSync } from 'node:fs';
import type { CaptureFilter } from '../capture-messages.ts';
import type { TransferSink } from '../flow/transfer.ts';
import { type Addon, type BpfObject, builtFile, loadAddon } from './addon.ts';
import { createEventReader } from './event-reader.ts';
import { BYTES, CONFIG, EVENTS, FILTERED, LOST, NO_STORAGE } from './events.gen.ts';
import { createFilter } from './filter.ts';
import { isAddonError, KernelError } from './kernel-error.ts';
import { key64 } from './keys.ts';
import { listListeners } from './listeners.ts';
import { openRing, walkRing } from './ring.ts';

export interface CaptureOptions {
  /** A power of two, and a multiple of the page size. */
  readonly ringBytes: number;
  /** Bytes copied of one transfer at most, up to 1024. */
  readonly captureBytes: number;
  readonly filter: CaptureFilter;
  /** Only this rung; for tests and comparisons. */
  readonly rung?: Rung;
}

/** A: socket tracepoints. */
export type Rung = 'A';

/** Probes in the kernel, and what they reported since the last drain. */
export interface Capture {
  readonly rung: Rung;
  /** Why it does not stand higher; empty on the highest rung. */
  readonly reason: string;
  /** Hands on all transfers that are ready, in order. Answers how many. */
  drain(sink: TransferSink): number;
  /** events, lost, filtered, bytes, no_storage: since the capture was opened. */
  counters(): Record<string, number>;
  setFilter(filter: CaptureFilter): void;
  /** Add to a transfer's `atNs` to get nanoseconds since the epoch. */
  wallClockOffsetNs(): number;
  /** Leaves nothing in the kernel. Idempotent. */
  close(): void;
}

const OBJECT = 'capture.bpf.o';
/** Programs of each rung. */
const RUNGS: Readonly<Record<Rung, readonly string[]>> = {
  A: ['on_send', 'on_receive', 'on_state'],
};
const COUNTERS = {
  events: EVENTS,
  lost: LOST,
  filtered: FILTERED,
  bytes: BYTES,
  no_storage: NO_STORAGE,
} as const;
const COUNTER_SLOTS = 8;
const LOAD_TRIES_MAX = 5;
/** Woken at a quarter of the ring; until then a timer drains it. */
const WAKE_SHARE = 4;

/** Loads and attaches the highest rung that this kernel takes. Throws `KernelError`. */
export function openCapture(options: CaptureOptions): Capture {
  const addon = loadAddon();
  if (!existsSync('/sys/kernel/btf/vmlinux')) {
    throw new KernelError(
      'kernel_no_btf',
      'the kernel has no BTF at /sys/kernel/btf/vmlinux',
      'use a kernel built with CONFIG_DEBUG_INFO_BTF=y (Debian 12 and later have it)',
    );
  }
  const refusals: string[] = [];
  for (const rung of options.rung === undefined ? (['A'] as const) : [options.rung]) {
    try {
      const object = loadPatiently(() => load(addon, rung, options));
      return begin(addon, object, rung, refusals.join('; '), options);
    } catch (error) {
      if (!isAddonError(error)) throw error;
      if (error.code === 'EPERM' && !mayLoadPrograms()) {
        throw new KernelError(
          'kernel_permission',
          'the kernel refuses to load capture programs',
          'run as root, or with the capabilities CAP_BPF and CAP_PERFMON',
          { cause: error },
        );
      }
      refusals.push(`rung ${rung}: ${error.message}${lastLine(error.log)}`);
    }
  }
  throw new KernelError(
    'kernel_unsupported',
    `no way to capture on this kernel: ${refusals.join('; ')}`,
    'run: thalweg doctor',
  );
}

/** The verifier gives up with EAGAIN when a signal comes meanwhile, as a profiler's does. */
function loadPatiently(attempt: () => BpfObject): BpfObject {
  for (let tries = 1; ; tries += 1) {
    try {
      return attempt();
    } catch (error) {
      if (!isAddonError(error) || error.code !== 'EAGAIN' || tries === LOAD_TRIES_MAX) throw error;
    }
  }
}

function load(addon: Addon, rung: Rung, options: CaptureOptions): BpfObject {
  const object = addon.open(builtFile(OBJECT));
  try {
    for (const program of new Set(Object.values(RUNGS).flat())) {
      addon.setAutoload(object, program, RUNGS[rung].includes(program));
    }
    addon.setMaxEntries(object, 'events', options.ringBytes);
    addon.load(object);
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
  let last = zeroCounters();

  config[CONFIG.captureBytes / 4] = options.captureBytes;
  config[CONFIG.wakeBytes / 4] = options.ringBytes / WAKE_SHARE;
  filter.apply(options.filter);
  for (const { netns, port } of listListeners()) {
    const key = key64((BigInt(netns) << 16n) | BigInt(port));
    addon.updateMap(object, 'listeners', key, Uint8Array.of(1));
  }
  for (const program of RUNGS[rung]) addon.attach(object, program);
  config[CONFIG.enabled / 4] = 1;

  function counters(): Record<string, number> {
    if (isClosed) return last;
    const sums = zeroCounters();
    for (let cpu = 0; cpu < counts.length; cpu += COUNTER_SLOTS) {
      for (const [name, slot] of Object.entries(COUNTERS)) {
        sums[name] = (sums[name] ?? 0) + Number(counts[cpu + slot] ?? 0n);
      }
    }
    return sums;
  }

  return {
    rung,
    reason,
    drain(sink) {
      if (isClosed) return 0;
      return walkRing(ring, (offset, length) => read(offset, length, sink), commit);
    },
    counters,
    setFilter(changed) {
      if (!isClosed) filter.apply(changed);
    },
    wallClockOffsetNs: () => Date.now() * 1e6 - Number(process.hrtime.bigint()),
    close() {
      if (isClosed) return;
      last = counters();
      isClosed = true;
      addon.close(object);
    },
  };
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

function zeroCounters(): Record<string, number> {
  return Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, 0]));
}

/** The verifier's or libbpf's last words, which name what was refused. */
function lastLine(log: string): string {
  const line = log.trim().split('\n').pop();
  return line === undefined || line === '' ? '' : ` (${line.slice(0, 200)})`;
}
