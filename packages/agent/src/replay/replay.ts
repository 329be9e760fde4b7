import { readFile, stat } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';
import {
  type CapturedPacket,
  type CaptureError,
  createFragmentTable,
  readCapture,
  type SkipReason,
  tcpSegment,
} from '@thalweg/wire';
import type { Exchange } from '../flow/exchange.ts';
import { createFlow, type FlowCounters, type FlowLimits } from '../flow/flow.ts';
import { type CapturedConnections, createCapturedConnections } from './connections.ts';
import { type ExchangeRecord, exchangeRecord } from './exchange-record.ts';
import { REASSEMBLY_LIMITS, type ReassemblyCounters, type ReassemblyLimits } from './reassembly.ts';

export interface ReplayOptions {
  /** Hears of each exchange when it is complete: in the order of their last bytes. */
  readonly onExchange: (record: ExchangeRecord, exchange: Exchange) => void;
  /** Headers kept, as in `createFlow`. */
  readonly headers?: readonly string[];
  readonly limits?: Partial<FlowLimits & ReassemblyLimits>;
}

export interface ReplaySummary {
  readonly packets: number;
  readonly connections: number;
  readonly exchanges: number;
  /** Connections with bytes of which none were understood. */
  readonly unknownConnections: number;
  /** Packets without a TCP segment that can be read, by reason. */
  readonly skipped: Readonly<Record<SkipReason, number>>;
  readonly reassembly: Readonly<ReassemblyCounters>;
  readonly flow: FlowCounters;
  /** Why reading stopped before the end; exchanges before that point were reported. */
  readonly error: CaptureError | undefined;
}

/** Files are read whole; a larger one is refused rather than taking the host's memory. */
const FILE_BYTES_MAX = 2 ** 30;

/**
 * Reads a capture file as if its packets were seen live. A file that cannot be read at all throws
 * the system's error; a damaged one answers `error` and what came before the damage.
 */
export async function replayFile(path: string, options: ReplayOptions): Promise<ReplaySummary> {
  const { size } = await stat(path);
  if (size > FILE_BYTES_MAX) {
    throw new Error(
      `${path} has ${size} bytes, the most is ${FILE_BYTES_MAX}; split it with editcap -c`,
    );
  }
  return replayBytes(await readFile(path), options);
}

/** The same for a capture file in memory, as it is or under gzip. */
export function replayBytes(given: Uint8Array, options: ReplayOptions): ReplaySummary {
  const { bytes, error: cut } = gunzipped(given);
  const skipped: Record<SkipReason, number> = {
    'link-type': 0,
    'not-ip': 0,
    'not-tcp': 0,
    malformed: 0,
    fragment: 0,
    'fragment-limit': 0,
  };
  const reassembly: ReassemblyCounters = {
    retransmitted: 0,
    outOfOrder: 0,
    gaps: 0,
    outOfWindow: 0,
  };
  const fragments = createFragmentTable();
  let baseNs = 0n;
  let packets = 0;
  const flow = createFlow({
    onExchange: (exchange) => options.onExchange(exchangeRecord(exchange, baseNs), exchange),
    ...(options.headers && { headers: options.headers }),
    ...(options.limits && { limits: options.limits }),
  });
  let connections: CapturedConnections | undefined;

  function onPacket(packet: CapturedPacket): void {
    packets += 1;
    const segment = tcpSegment(packet, fragments);
    if (typeof segment === 'string') {
      skipped[segment] += 1;
      return;
    }
    if (connections === undefined) {
      baseNs = packet.atNs;
      const limits = { ...REASSEMBLY_LIMITS, ...options.limits };
      connections = createCapturedConnections(flow.transfer, baseNs, reassembly, limits);
    }
    connections.segment(segment);
    flow.flush(Number(segment.atNs - baseNs));
  }

  // What the stream held before its cut is read too; the cut is the reason to name.
  const fault = readCapture(bytes, onPacket);
  const error = cut ?? fault;
  connections?.close();
  flow.close();
  const counters = flow.counters();
  return {
    packets,
    connections: connections?.count() ?? 0,
    exchanges: counters.exchanges,
    unknownConnections: counters.connectionsUnknown,
    skipped,
    reassembly,
    flow: counters,
    error,
  };
}

/**
 * gzip is told by its magic number (RFC 1952 §2.3.1). A stream that is cut or damaged gives what
 * was unpacked before, with the error.
 */
function gunzipped(given: Uint8Array): { bytes: Uint8Array; error: CaptureError | undefined } {
  if (given[0] !== 0x1f || given[1] !== 0x8b) return { bytes: given, error: undefined };
  const limit = { maxOutputLength: FILE_BYTES_MAX };
  try {
    return { bytes: gunzipSync(given, limit), error: undefined };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const error: CaptureError = { code: 'truncated', message: `the gzip stream: ${why}` };
    try {
      const bytes = gunzipSync(given, { ...limit, finishFlush: constants.Z_SYNC_FLUSH });
      return { bytes, error };
    } catch {
      return { bytes: new Uint8Array(), error };
    }
  }
}
