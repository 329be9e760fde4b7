import { fileURLToPath } from 'node:url';
import { capture } from './capture.ts';
import { crash } from './crash.ts';
import { gateway } from './gateway.ts';
import { gatewaySoak } from './gateway-soak.ts';
import { ingest } from './ingest.ts';
import { links } from './links/links.ts';
import { metrics } from './metrics.ts';
import { otlp } from './otlp.ts';
import {
  type Bench,
  type BenchOptions,
  type BenchReport,
  commit,
  machine,
  type SkippedCase,
} from './report.ts';
import { ring } from './ring.ts';
import { traceLookup } from './trace-lookup.ts';

export type { BenchOptions, BenchReport, BenchRow } from './report.ts';

const BENCHES = {
  ring,
  ingest,
  'trace-lookup': traceLookup,
  capture,
  crash,
  links,
  otlp,
  metrics,
  gateway,
  'gateway-soak': gatewaySoak,
} as const satisfies Record<string, Bench>;
export type BenchName = keyof typeof BENCHES;
export const BENCH_NAMES = Object.keys(BENCHES) as readonly BenchName[]; // Keys of a const object.

/** Runs one bench. Rejects when something that it needs is missing, and says what. */
export async function runBench(name: BenchName, options: BenchOptions): Promise<BenchReport> {
  const skipped: SkippedCase[] = [];
  const skip = (one: SkippedCase): void => {
    skipped.push(one);
    options.progress(`${one.case}: skipped: ${one.reason}`);
  };
  const rows = await BENCHES[name]({ ...options, skip });
  const folder = fileURLToPath(new URL('.', import.meta.url));
  return { bench: name, machine: machine(), commit: commit(folder), rows, skipped };
}
