import type { CaptureFilter } from '../capture-messages.ts';
import type { Addon, BpfObject } from './addon.ts';
import { CONFIG, PORT_EXCLUDED, PORT_WANTED } from './events.gen.ts';
import { key16, key32 } from './keys.ts';

/**
 * Puts a filter into the kernel's maps and keeps them equal to it when it changes. Verdicts that
 * sockets carry are judged anew, because each change raises the generation.
 */
export function createFilter(addon: Addon, object: BpfObject, config: Uint32Array) {
  let ports = new Map<number, number>();
  let pids: ReadonlySet<number> = new Set();
  let namespaces: ReadonlySet<number> = new Set();

  /** Makes the keys of a set-like map equal to `wanted`. */
  function mirror(map: string, current: ReadonlySet<number>, wanted: ReadonlySet<number>): void {
    for (const key of wanted) addon.updateMap(object, map, key32(key), Uint8Array.of(1));
    for (const key of current) {
      if (!wanted.has(key)) addon.deleteFromMap(object, map, key32(key));
    }
  }

  return {
    apply(filter: CaptureFilter): void {
      const wanted = new Map<number, number>();
      for (const port of filter.ports) wanted.set(port, PORT_WANTED);
      for (const port of filter.portsExcluded) wanted.set(port, PORT_EXCLUDED);
      for (const [port, verdict] of wanted) {
        addon.updateMap(object, 'ports', key16(port), Uint8Array.of(verdict));
      }
      for (const port of ports.keys()) {
        if (!wanted.has(port)) addon.deleteFromMap(object, 'ports', key16(port));
      }
      ports = wanted;

      const excluded = new Set(filter.pidsExcluded);
      mirror('processes', pids, excluded);
      pids = excluded;
      const only = new Set(filter.namespaces);
      mirror('namespaces', namespaces, only);
      namespaces = only;

      config[CONFIG.hasWantedNetns / 4] = only.size > 0 ? 1 : 0;
      config[CONFIG.hasWantedPorts / 4] = filter.ports.length > 0 ? 1 : 0;
      config[CONFIG.generation / 4] = (config[CONFIG.generation / 4] ?? 0) + 1;
    },
  };
}
