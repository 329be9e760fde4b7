import type { TransferSink } from '../flow/transfer.ts';
import { builtFile, loadAddon } from './addon.ts';
import { createEventReader } from './event-reader.ts';
import { openRing, walkRing } from './ring.ts';

/** A ring that the kernel fills with a proxy's events, for benches. */
export interface Generator {
  drain(sink: TransferSink): number;
  /** Events written and events for which the ring had no room. */
  counters(): { readonly emitted: number; readonly lost: number };
  close(): void;
}

/** Each getppid() of process `pid` (`process.ppid` in Node) writes four events. */
export function openGenerator(options: { pid: number; ringBytes: number }): Generator {
  const addon = loadAddon();
  const object = addon.open(builtFile('generator.bpf.o'));
  addon.setMaxEntries(object, 'events', options.ringBytes);
  addon.load(object);
  // struct generator: pid, emitted, lost, turns.
  const state = new BigUint64Array(addon.global(object, '.bss'));
  const ring = openRing(addon, object, 'events');
  const read = createEventReader(ring.words.buffer as ArrayBuffer); // From the addon, not shared.
  state[0] = BigInt(options.pid);
  addon.attach(object, 'on_generate');
  return {
    drain: (sink) =>
      walkRing(
        ring,
        (offset, length) => read(offset, length, sink),
        (bytes) => addon.commit(object, bytes),
      ),
    counters: () => ({ emitted: Number(state[1] ?? 0n), lost: Number(state[2] ?? 0n) }),
    close: () => addon.close(object),
  };
}
