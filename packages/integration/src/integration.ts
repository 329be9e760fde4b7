import { type BufferLimits, createTelemetryBuffer } from './buffer/telemetry-buffer.ts';
import { createDoor, type Door, type DoorLimits } from './door/door.ts';
import type { GrpcMethod } from './grpc/grpc-method.ts';
import { createMetricWriter, type MetricCounters, type MetricWriter } from './metric-writer.ts';
import { methodsOf, receiversOf } from './receivers.ts';
import { createRemoteWriteThread } from './remote-write-thread.ts';
import { createRemoteWriter } from './remote-writer.ts';
import { declaredHours, type HoursOf } from './retention-hours.ts';
import { createRowIds } from './row-ids.ts';
import type { TelemetrySink } from './telemetry-sink.ts';

export interface IntegrationOptions {
  readonly sink: TelemetrySink;
  /** Bearer token that senders must carry; undefined: none. */
  readonly token: string | undefined;
  /** Goes into the column `agent`; empty on the server. */
  readonly agent: string;
  /** 32 random bits of this run. */
  readonly instance: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** As declared when absent. */
  readonly hoursOf?: HoursOf;
  readonly limits?: Partial<DoorLimits & BufferLimits>;
  /** Remote write is read in a thread of its own, which starts with the first body. */
  readonly hasWriteThread?: boolean;
}

/** Receivers, the door they stand behind and the buffer they write to: the same on every process. */
export interface Integration {
  readonly door: Door;
  /** What gRPC senders call; for `listenGrpc`, with the door's accounts. */
  readonly methods: readonly GrpcMethod[];
  /** Where metrics of this process itself may go too. */
  readonly metrics: MetricWriter;
  /** By dotted name: the door's and `buffer.*`. */
  counters(): Record<string, number>;
  /** Why rows could not be kept, lately; '' when they could. */
  lastError(): string;
  /** Keeps what waits. Close the listeners first. Idempotent. */
  close(): Promise<void>;
}

export function createIntegration(options: IntegrationOptions): Integration {
  const { sink, token, agent, instance, now, hoursOf = declaredHours, limits = {} } = options;
  const buffer = createTelemetryBuffer(sink, limits);
  const metrics = createMetricWriter({ sink, now, hoursOf });
  const ids = createRowIds(instance);
  const thread =
    options.hasWriteThread === true ? createRemoteWriteThread({ sink, now, hoursOf }) : undefined;
  const remoteWriter = thread ?? createRemoteWriter(metrics);
  const context = { buffer, metrics, remoteWriter, ids, seed: instance, agent, now, hoursOf };
  const door = createDoor({ receivers: receiversOf(context), token, limits, now });
  return {
    door,
    methods: methodsOf(context),
    metrics,
    counters: () => {
      const { lastError: _, ...counts } = buffer.counters();
      const named = Object.entries(counts).map(([name, value]) => [`buffer.${name}`, value]);
      const metricCounts = sumOf(metrics.counters(), thread?.counters());
      return {
        ...door.counters(),
        ...Object.fromEntries(named),
        ...metricCounts,
        ...(thread === undefined ? {} : { 'metrics.threadRestarts': thread.restarts }),
      };
    },
    lastError: () => buffer.counters().lastError,
    close: async () => {
      await buffer.close();
      await thread?.close();
    },
  };
}

/** By dotted name. */
function sumOf(...all: (MetricCounters | undefined)[]): Record<string, number> {
  const sums: Record<string, number> = {};
  const add = (name: string, value: number): void => {
    sums[name] = (sums[name] ?? 0) + value;
  };
  for (const counters of all) {
    if (counters === undefined) continue;
    const { refused, ...written } = counters;
    for (const [name, value] of Object.entries(written)) add(`metrics.${name}`, value);
    for (const [code, value] of Object.entries(refused)) add(`metrics.refused.${code}`, value);
  }
  return sums;
}
