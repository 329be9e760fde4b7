import { openPackets } from '@thalweg/agent';
import { saturate } from './load.ts';
import type { NginxPair } from './nginx-pair.ts';
import { type BenchOptions, type BenchRow, median } from './report.ts';

/**
 * What the programs at network interfaces take, timed by the kernel (BPF run-time statistics) at the
 * loopback interface, which sees each packet of the loaded nginx pair twice: as it leaves and as it
 * arrives. This process drains the ring and does nothing with it.
 */
const CONNECTIONS = 16;
const RING_BYTES = 4 << 20;
const FLOWS_MAX = 32_768;
const DRAIN_MS = 5;
const NAMESPACE = '/proc/self/ns/net';

export async function packetCostRows(
  pair: NginxPair,
  { isQuick, signal, progress }: BenchOptions,
): Promise<BenchRow[]> {
  const rounds = isQuick ? 1 : 5;
  const values: Record<'packet_ns' | 'packets_per_turn', number[]> = {
    packet_ns: [],
    packets_per_turn: [],
  };
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    const { packetNs, packetsPerTurn } = await measure(pair, isQuick ? 1 : 2);
    values.packet_ns.push(packetNs);
    values.packets_per_turn.push(packetsPerTurn);
    progress(`packets, round ${round + 1} of ${rounds}`);
  }
  const of = { case: 'packets-lo' };
  return [
    { ...of, metric: 'packet_ns', unit: 'ns', value: median(values.packet_ns) },
    { ...of, metric: 'packets_per_turn', unit: 'count', value: median(values.packets_per_turn) },
  ];
}

async function measure(
  { url }: NginxPair,
  seconds: number,
): Promise<{ readonly packetNs: number; readonly packetsPerTurn: number }> {
  const packets = openPackets({ ringBytes: RING_BYTES, flowsMax: FLOWS_MAX });
  const drain = (): number => packets.drain(() => undefined);
  const timer = setInterval(drain, DRAIN_MS);
  try {
    const loopback = packets.interfaces(NAMESPACE).find(({ isLoopback }) => isLoopback);
    if (loopback === undefined) throw new Error('no loopback interface');
    packets.attach(NAMESPACE, loopback.index);
    packets.measure();
    await saturate(url, CONNECTIONS, seconds);
    drain();
    const programs = packets.programs();
    const runs = programs.reduce((sum, one) => sum + one.runs, 0);
    const runNs = programs.reduce((sum, one) => sum + one.runNs, 0);
    const counters = packets.counters();
    return {
      packetNs: runNs / runs,
      packetsPerTurn: (counters['packets'] ?? 0) / (counters['turns'] ?? 0),
    };
  } finally {
    clearInterval(timer);
    packets.close();
  }
}
