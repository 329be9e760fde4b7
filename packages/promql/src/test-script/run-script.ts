import { evaluateInstant, evaluateRange } from '../evaluate/evaluate-query.ts';
import type { QueryAnswer } from '../evaluate/query.ts';
import { parsePromql } from '../promql.ts';
import type { SeriesSource } from '../series-source.ts';
import { differenceOf } from './compare.ts';
import { readScript } from './read-script.ts';
import { type Evaluate, type Load, ScriptFault } from './script.ts';
import { openStorage, type ScriptStorage } from './storage.ts';

export interface ScriptFinding {
  readonly line: number;
  /** Empty where a load or the script itself is at fault. */
  readonly query: string;
  readonly reason: string;
}

export interface ScriptReport {
  readonly passed: number;
  readonly failed: readonly ScriptFinding[];
  /** Evaluations that need an experimental syntax which is not built here. */
  readonly skipped: readonly ScriptFinding[];
}

/** Runs a script's evaluations against what it loads. Never rejects. */
export async function runScript(text: string): Promise<ScriptReport> {
  const storage = openStorage();
  const failed: ScriptFinding[] = [];
  const skipped: ScriptFinding[] = [];
  let passed = 0;
  for (const command of readScript(text)) {
    const { line } = command;
    if (command.kind === 'clear') storage.clear();
    else if (command.kind === 'unread') {
      failed.push({ line, query: '', reason: `cannot be read: ${command.message}` });
    } else if (command.kind === 'load') {
      const reason = loadFault(storage, command);
      if (reason !== undefined) failed.push({ line, query: '', reason });
    } else {
      const { query } = command;
      const unbuilt = unbuiltSyntax(query);
      if (unbuilt !== undefined) {
        skipped.push({ line, query, reason: unbuilt });
        continue;
      }
      const reason = differenceOf(command, await evaluate(command, storage.source()));
      if (reason === undefined) passed++;
      else failed.push({ line, query, reason });
    }
  }
  return { passed, failed, skipped };
}

function loadFault(storage: ScriptStorage, load: Load): string | undefined {
  try {
    storage.load(load);
    return undefined;
  } catch (error) {
    if (error instanceof ScriptFault) return error.message;
    throw error;
  }
}

function unbuiltSyntax(query: string): string | undefined {
  const parsed = parsePromql(query, { isExperimental: true });
  return parsed.kind === 'invalid' && parsed.error.isExperimental
    ? parsed.error.message
    : undefined;
}

function evaluate({ query, times }: Evaluate, source: SeriesSource): Promise<QueryAnswer> {
  const options = { source, isExperimental: true };
  return 'timeMs' in times
    ? evaluateInstant(query, times, options)
    : evaluateRange(query, times, options);
}
