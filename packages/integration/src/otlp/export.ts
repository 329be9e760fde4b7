import type { OtlpSignal } from '@thalweg/wire';
import type { OpenRows } from '../buffer/open-rows.ts';
import type { TelemetryBuffer, Written } from '../buffer/telemetry-buffer.ts';
import type { MetricWriter } from '../metric-writer.ts';
import { createLogWriter } from './logs.ts';
import { metricExport } from './metrics.ts';
import type { Exported, Outcome } from './outcome.ts';
import { createTraceWriter, type TraceWriterOptions } from './traces.ts';

/** Takes the protobuf bytes of an export request; resolves when they are on disk, or why not. */
export type OtlpExport = (bytes: Uint8Array) => Promise<Exported>;

export interface OtlpExportOptions extends TraceWriterOptions {
  readonly buffer: TelemetryBuffer;
  readonly metrics: MetricWriter;
}

/** By HTTP and by gRPC alike: one export for each signal. */
export function createOtlpExports(
  options: OtlpExportOptions,
): Readonly<Record<OtlpSignal, OtlpExport>> {
  return {
    traces: rowExport(options.buffer, createTraceWriter(options)),
    logs: rowExport(options.buffer, createLogWriter(options)),
    metrics: metricExport(options.metrics, options.now),
  };
}

/** For spans of tracers whose ids are texts. */
export function createTextIdExport(options: OtlpExportOptions): OtlpExport {
  return rowExport(options.buffer, createTraceWriter(options, 'text'));
}

function rowExport(
  buffer: TelemetryBuffer,
  write: (bytes: Uint8Array, rows: OpenRows) => Outcome,
): OtlpExport {
  return async (bytes) => {
    if (!buffer.hasRoomFor(bytes.length)) return { status: 'busy', retryAfterS: 1 };
    let outcome: Outcome | undefined;
    const written = await buffer.write((rows) => {
      outcome = write(bytes, rows);
      return outcome.malformed === '' ? undefined : outcome.malformed;
    });
    return exported(written, outcome);
  };
}

function exported(written: Written, outcome: Outcome | undefined): Exported {
  switch (written.status) {
    case 'kept':
      return {
        status: 'kept',
        rows: outcome?.rows ?? 0,
        rejected: outcome?.rejected ?? 0,
        reason: outcome?.reason ?? '',
      };
    case 'refused':
      return { status: 'refused', reason: `${written.code}: ${written.message}` };
    case 'malformed':
    case 'busy':
      return written;
  }
}
