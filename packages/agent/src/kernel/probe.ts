import { existsSync } from 'node:fs';
import { BTF_PATH, openCapture } from './capture.ts';
import { isAddonError, KernelError } from './kernel-error.ts';
import type { Rung } from './ladder.ts';
import { openPackets } from './packets.ts';

/** What one feature stands on, found by trying it. */
export interface Feature {
  readonly feature: string;
  readonly isOn: boolean;
  /** The rung that it stands on: `A`, …; `-` where it is off. */
  readonly rung: string;
  /** Why it does not stand higher; empty on the highest rung. */
  readonly reason: string;
  /** What to do to get it, or more of it; empty where nothing is missing. */
  readonly fix: string;
}

const PROBE_RING_BYTES = 1 << 16;
const OWN_NAMESPACE = '/proc/self/ns/net';

/** Tries each feature of this host's kernel by loading it; nothing of it stays. */
export function probeFeatures(btfPath = BTF_PATH): Feature[] {
  return [typeInformation(btfPath), ...capture(btfPath)];
}

function typeInformation(btfPath: string): Feature {
  const isOn = existsSync(btfPath);
  return {
    feature: 'kernel type information (BTF)',
    isOn,
    rung: isOn ? 'A' : '-',
    reason: isOn ? '' : `${btfPath} is missing`,
    fix: isOn ? '' : 'use a kernel built with CONFIG_DEBUG_INFO_BTF=y',
  };
}

function capture(btfPath: string): Feature[] {
  const feature = 'HTTP/1 capture of all processes (eBPF)';
  try {
    const opened = openCapture({
      ringBytes: PROBE_RING_BYTES,
      captureBytes: 64,
      btfPath,
      // No socket has port 0: the probe loads and attaches, but looks at nobody's bytes.
      filter: { ports: [0], portsExcluded: [], pidsExcluded: [], namespaces: [] },
    });
    opened.close();
    const { rung, reason, loopTurnsReason } = opened;
    return [
      { feature, isOn: true, rung, reason, fix: '' },
      unixSockets(rung),
      loopTurns(loopTurnsReason),
      networkSpans(),
    ];
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return [{ feature, isOn: false, rung: '-', reason: error.message, fix: error.fix }];
  }
}

/** Loads the programs and puts them at the loopback interface for a moment, paused. */
function networkSpans(): Feature {
  const feature = 'network spans at interfaces (tcx)';
  try {
    const packets = openPackets({ ringBytes: PROBE_RING_BYTES, flowsMax: 1 });
    try {
      packets.setPaused(true);
      const [first] = packets.interfaces(OWN_NAMESPACE);
      if (first !== undefined) packets.attach(OWN_NAMESPACE, first.index);
      return { feature, isOn: true, rung: 'A', reason: '', fix: '' };
    } finally {
      packets.close();
    }
  } catch (error) {
    if (!isAddonError(error) && !(error instanceof KernelError)) throw error;
    const fix =
      error instanceof KernelError
        ? error.fix
        : 'use Linux 6.6 or later, as root or with CAP_NET_ADMIN and CAP_SYS_ADMIN';
    return { feature, isOn: false, rung: '-', reason: error.message, fix };
  }
}

/** State is kept at the peer too, which a program of rung B may not reach. */
function unixSockets(rung: Rung): Feature {
  const isOn = rung === 'A';
  return {
    feature: 'unix-domain sockets (PHP-FPM, databases behind a path)',
    isOn,
    rung: isOn ? 'A' : '-',
    reason: isOn ? '' : 'rung B does not see them',
    fix: isOn ? '' : 'use Linux 6.3 or later: rung A sees them',
  };
}

function loopTurns(reason: string): Feature {
  const isOn = reason === '';
  return {
    feature: 'turns of event loops (links of asynchronous programs)',
    isOn,
    rung: isOn ? 'A' : '-',
    reason,
    fix: isOn ? '' : 'run as root with tracefs mounted at /sys/kernel/tracing',
  };
}
