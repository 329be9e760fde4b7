import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { runScript, type ScriptFinding, type ScriptReport } from '@thalweg/promql';
import { CliError } from '../cli-error.ts';
import { type Command, JSON_OPTION } from '../command.ts';

/** Differences shown of a file; `--json` has them all. */
const SHOWN_MAX = 10;

interface FileReport extends ScriptReport {
  readonly file: string;
}

export const promqltest: Command = {
  name: 'promqltest',
  summary: "Runs Prometheus's test scripts against the PromQL engine.",
  positionals: [{ name: 'FILE', doc: 'test script; give as many as you like', repeats: true }],
  options: { json: JSON_OPTION },
  examples: ['thalweg promqltest testdata/*.test', 'thalweg promqltest mine.test --json'],
  async run({ values, terminal, signal }) {
    const files: FileReport[] = [];
    for (const file of values.positionals) {
      if (signal.aborted) break;
      const report = await runScript(await readScript(file));
      files.push({ file, ...report });
      if (values.flag('json')) continue;
      terminal.print(`${basename(file)}: ${counts(report)}`);
      for (const line of differences('FAILED', report.failed)) terminal.print(line);
      for (const line of differences('skipped', report.skipped)) terminal.print(line);
    }
    const total = {
      passed: files.reduce((sum, { passed }) => sum + passed, 0),
      failed: files.flatMap(({ failed }) => failed),
      skipped: files.flatMap(({ skipped }) => skipped),
    };
    if (values.flag('json')) {
      const { passed, failed, skipped } = total;
      const numbers = { passed, failed: failed.length, skipped: skipped.length };
      terminal.print(JSON.stringify({ ...numbers, files }));
    } else terminal.print(`total: ${counts(total)}`);
    if (total.failed.length === 0) return;
    const message = `${total.failed.length} evaluations do not give what the scripts expect`;
    throw new CliError('failed', message, 'the differences are printed; `--json` has them all');
  },
};

const counts = ({ passed, failed, skipped }: ScriptReport): string =>
  `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;

function differences(word: string, findings: readonly ScriptFinding[]): readonly string[] {
  const shown = findings
    .slice(0, SHOWN_MAX)
    .map(({ line, query, reason }) => `  ${word} line ${line}: ${query}\n    ${reason}`);
  const more = findings.length - shown.length;
  return more > 0 ? [...shown, `  … and ${more} more`] : shown;
}

async function readScript(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError('bad_input', `${file}: ${reason}`, 'give a test script that can be read');
  }
}
