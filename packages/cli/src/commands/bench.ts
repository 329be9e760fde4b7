import { BENCH_NAMES, type BenchName, type BenchReport, runBench } from '@thalweg/bench';
import { nearest } from '@thalweg/model';
import { alignedLines } from '../aligned.ts';
import { CliError } from '../cli-error.ts';
import { type Command, JSON_OPTION } from '../command.ts';

export const bench: Command = {
  name: 'bench',
  summary: `Measures this build on this machine: ${BENCH_NAMES.join(', ')}.`,
  positionals: [{ name: 'NAME', doc: `one of ${BENCH_NAMES.join(', ')}` }],
  options: {
    quick: {
      type: 'boolean',
      doc: 'small and short: shows that it works, its figures mean little',
    },
    case: {
      type: 'list',
      doc: 'only cases whose name begins so (links, gateway); may be repeated',
    },
    connections: {
      type: 'string',
      doc: 'connections at once, such as 1,16,64,256 (links, gateway)',
    },
    minutes: {
      type: 'number',
      doc: 'how long the load lasts (gateway-soak)',
      default: 4,
      min: 1,
      max: 1_440,
    },
    json: JSON_OPTION,
  },
  examples: [
    'thalweg bench ring',
    'thalweg bench capture --json',
    'thalweg bench links --case T1-nginx --connections 16,256',
    'thalweg bench gateway-soak --minutes 60',
  ],
  async run({ values, terminal, signal }) {
    const [name = ''] = values.positionals;
    const report = await runBench(benchName(name), {
      isQuick: values.flag('quick'),
      cases: values.list('case'),
      connections: counts(values.text('connections')),
      minutes: values.number('minutes'),
      signal,
      progress: terminal.note,
    });
    if (values.flag('json')) terminal.print(JSON.stringify(report));
    else print(terminal.print, report);
  },
};

/** `1,16,64` as numbers. */
function counts(text: string | undefined): readonly number[] | undefined {
  if (text === undefined) return undefined;
  const numbers = text.split(',').map(Number);
  if (numbers.every((one) => Number.isInteger(one) && one >= 1 && one <= 1_024)) return numbers;
  const message = `--connections is "${text}", not a list of whole numbers from 1 to 1024`;
  throw new CliError('usage', message, 'see `thalweg bench --help`');
}

function benchName(name: string): BenchName {
  const found = BENCH_NAMES.find((known) => known === name);
  if (found !== undefined) return found;
  const near = nearest(name, BENCH_NAMES);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  throw new CliError('usage', `unknown bench "${name}"${hint}`, 'see `thalweg bench --help`');
}

function print(
  line: (text: string) => void,
  { bench: name, machine, commit, rows, skipped }: BenchReport,
) {
  line(`${name} on ${machine}, commit ${commit}`);
  const cells = rows.map(({ case: which, metric, unit, value, reference, ratio }) => [
    which,
    metric,
    `${figure(value)} ${unit}`,
    reference === undefined ? '' : `reference ${figure(reference)}`,
    ratio === undefined ? '' : `ratio ${ratio.toFixed(3)}`,
  ]);
  for (const text of alignedLines(cells)) line(text);
  for (const one of skipped) line(`skipped ${one.case}: ${one.reason}`);
}

function figure(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : value.toFixed(3);
}
