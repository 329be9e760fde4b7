import type { Connection } from '../flow/exchange.ts';
import type { Comparison } from './calibration.ts';

export interface ResolverOptions {
  /** Whether the source knows turns of event loops; without them thread evidence is worth less. */
  readonly hasLoopTurns?: () => boolean;
  /** Names the program that a process runs: what one process taught, another begins with. */
  readonly programOf?: (connection: Connection) => string;
  /** Told of each call whose ids name its request: how evidence alone would have linked it. */
  readonly onCompared?: (connection: Connection, comparison: Comparison) => void;
}
