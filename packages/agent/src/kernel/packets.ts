import { existsSync } from 'node:fs';
import type { Turn, TurnSink } from '../network/turn.ts';
import { builtFile, loadAddon, type NetworkInterface, type ProgramFacts } from './addon.ts';
import {
  FLOW_SIZE,
  FLOWS,
  FLOWS_REFUSED,
  PACKETS,
  PACKETS_CONFIG,
  PACKETS_MISSED,
  TURNS,
  TURNS_LOST,
} from './events.gen.ts';
import { KernelError } from './kernel-error.ts';
import { patiently } from './ladder.ts';
import { openRing, walkRing } from './ring.ts';
import { createTurnReader, openTurnOf } from './turn-reader.ts';

export interface PacketsOptions {
  /** A power of two, and a multiple of the page size. */
  readonly ringBytes: number;
  /** Connections at interfaces that are remembered at once; the longest unused are forgotten. */
  readonly flowsMax: number;
}

/** Programs at the traffic of network interfaces (tcx), and the turns that they told of. */
export interface Packets {
  /** Interfaces of the network namespace at `path`. Throws the addon's error. */
  interfaces(path: string): readonly NetworkInterface[];
  /** Looks at both directions of an interface. Throws the addon's error. Answers how to stop. */
  attach(path: string, ifindex: number): () => void;
  /** Hands on all turns that ended, in order. Answers how many. */
  drain(sink: TurnSink): number;
  /** What a flow's turn is so far, with the key as a sink saw it; undefined when none is open. */
  openTurn(key: Uint8Array): Turn | undefined;
  /** While paused packets are not looked at; afterwards all turns begin anew. */
  setPaused(isPaused: boolean): void;
  /** Packets looked at. */
  seen(): number;
  /** packets, turns, turns_lost, flows, flows_refused, packets_missed: since it was opened. */
  counters(): Record<string, number>;
  programs(): readonly ProgramFacts[];
  /** Lets the kernel time each run, at about 80 ns a run, until this is closed. */
  measure(): void;
  /** Leaves nothing in the kernel. Idempotent. */
  close(): void;
}

const COUNTERS = {
  packets: PACKETS,
  turns: TURNS,
  turns_lost: TURNS_LOST,
  flows: FLOWS,
  flows_refused: FLOWS_REFUSED,
  packets_missed: PACKETS_MISSED,
} as const;
const COUNTER_SLOTS = 8;
const OBJECT = 'packets.bpf.o';

/** Loads the programs; they run once attached. Throws `KernelError` or the addon's error. */
export function openPackets({ ringBytes, flowsMax }: PacketsOptions): Packets {
  const addon = loadAddon();
  const path = builtFile(OBJECT);
  if (!existsSync(path)) {
    throw new KernelError('kernel_addon_missing', `no kernel object at ${path}`, 'run: make build');
  }
  const object = patiently(() => {
    const opened = addon.open(path);
    try {
      addon.setMaxEntries(opened, 'turns', ringBytes);
      addon.setMaxEntries(opened, 'flows', flowsMax);
      addon.load(opened);
      return opened;
    } catch (error) {
      addon.close(opened);
      throw error;
    }
  });
  const ring = openRing(addon, object, 'turns');
  const read = createTurnReader(ring.words.buffer as ArrayBuffer); // From the addon, not shared.
  const config = new Uint32Array(addon.global(object, '.data'));
  const counts = new BigUint64Array(addon.global(object, '.bss'));
  const commit = (bytes: number): void => addon.commit(object, bytes);
  const value = new Uint8Array(FLOW_SIZE);
  let isClosed = false;
  let last: Record<string, number> = {};
  config[PACKETS_CONFIG.isPaused / 4] = 0;

  function sumOf(slot: number): number {
    let sum = 0;
    for (let at = slot; at < counts.length; at += COUNTER_SLOTS) sum += Number(counts[at] ?? 0n);
    return sum;
  }

  function counters(): Record<string, number> {
    if (isClosed) return last;
    return Object.fromEntries(Object.entries(COUNTERS).map(([name, slot]) => [name, sumOf(slot)]));
  }

  return {
    interfaces: (namespace) => addon.interfaces(namespace),
    attach(namespace, ifindex) {
      const attached: number[] = [];
      const detach = (): void => {
        if (isClosed) return;
        for (const one of attached.splice(0)) addon.detachInterface(object, one);
      };
      try {
        for (const [program, isIngress] of PROGRAMS) {
          attached.push(addon.attachInterface(object, program, namespace, ifindex, isIngress));
        }
      } catch (error) {
        detach();
        throw error;
      }
      return detach;
    },
    drain: (sink) => (isClosed ? 0 : walkRing(ring, (offset) => read(offset, sink), commit)),
    openTurn(key) {
      if (isClosed || !addon.lookUpMap(object, 'flows', key, value)) return undefined;
      return openTurnOf(value);
    },
    setPaused(isPaused) {
      if (isClosed) return;
      if (!isPaused) {
        const generation = config[PACKETS_CONFIG.generation / 4] ?? 0;
        config[PACKETS_CONFIG.generation / 4] = generation + 1;
      }
      config[PACKETS_CONFIG.isPaused / 4] = isPaused ? 1 : 0;
    },
    seen: () => (isClosed ? (last['packets'] ?? 0) : sumOf(PACKETS)),
    counters,
    programs: () => (isClosed ? [] : addon.programs(object)),
    measure() {
      if (!isClosed) addon.measure(object);
    },
    close() {
      if (isClosed) return;
      last = counters();
      isClosed = true;
      addon.close(object);
    },
  };
}

const PROGRAMS = [
  ['on_ingress', true],
  ['on_egress', false],
] as const;
