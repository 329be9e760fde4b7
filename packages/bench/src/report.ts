import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

/** One figure. `reference` is what it is held against, `ratio` is value ÷ reference. */
export interface BenchRow {
  readonly case: string;
  readonly metric: string;
  readonly unit: string;
  readonly value: number;
  readonly reference?: number;
  readonly ratio?: number;
}

/** The one shape of every bench's result. */
export interface BenchReport {
  readonly bench: string;
  readonly machine: string;
  readonly commit: string;
  readonly rows: readonly BenchRow[];
  /** Cases that could not run here, and what would change that. */
  readonly skipped: readonly SkippedCase[];
}

export interface SkippedCase {
  readonly case: string;
  readonly reason: string;
}

export interface BenchOptions {
  /** Small and short, to show that it works: its figures mean little. */
  readonly isQuick: boolean;
  readonly signal: AbortSignal;
  /** Of benches with cases: those whose name begins with one of these; all by default. */
  readonly cases?: readonly string[] | undefined;
  /** Of benches with a load: how many connections at once, one run each. */
  readonly connections?: readonly number[] | undefined;
  /** How long the load lasts, of a bench where one chooses (`gateway-soak`). */
  readonly minutes: number;
  /** Progress for a person; not part of the result. */
  readonly progress: (line: string) => void;
}

export interface BenchRun extends BenchOptions {
  /** A case cannot run here: the report says why. */
  readonly skip: (skipped: SkippedCase) => void;
}

export type Bench = (run: BenchRun) => Promise<readonly BenchRow[]>;

export function machine(): string {
  const [first] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${first?.model ?? 'unknown'}, ${gib} GiB, Linux ${release()}`;
}

/** The commit that was measured, `-dirty` when the tree differs; `unknown` outside a checkout. */
export function commit(folder: string): string {
  try {
    const args = ['describe', '--always', '--dirty', '--exclude', '*'];
    return execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
