import type { RetentionOfTable } from '@thalweg/model';
import { alignedLines } from '../aligned.ts';
import { CliError } from '../cli-error.ts';
import { type Command, JSON_OPTION } from '../command.ts';
import { createServerClient } from '../server-client.ts';
import { URL_OPTION } from './query.ts';

/** Takes a choice back: settings or the declaration hold again. */
const DEFAULT = 'default';

export const retention: Command = {
  name: 'retention',
  summary: 'Shows or changes how long and how much is kept of each table, while the server runs.',
  positionals: [],
  options: {
    set: { type: 'list', value: 'TABLE=HOURS', doc: `hours that rows are kept, or ${DEFAULT}` },
    'set-bytes': {
      type: 'list',
      value: 'TABLE=BYTES',
      doc: `most bytes on disk: past it the oldest partitions are dropped; or ${DEFAULT}`,
    },
    url: URL_OPTION,
    json: JSON_OPTION,
  },
  examples: [
    'thalweg retention',
    'thalweg retention --set l7_flow_log=48 --set-bytes l7_flow_log=20000000000',
    'thalweg retention --set l7_flow_log=default',
  ],
  async run({ values, terminal, environment }) {
    const hours = readAssignments('set', values.list('set'));
    const bytes = readAssignments('set-bytes', values.list('set-bytes'));
    const mistakes = [...hours.mistakes, ...bytes.mistakes];
    if (mistakes.length > 0) {
      throw new CliError('usage', mistakes.join('; '), 'see `thalweg retention --help`');
    }
    const client = createServerClient(
      values.text('url') ?? '',
      environment['THALWEG_SERVER_TOKEN'],
    );
    const isChange = Object.keys({ ...hours.given, ...bytes.given }).length > 0;
    const answer = isChange
      ? await client.changeRetention({ hours: hours.given, bytes: bytes.given })
      : await client.retention();
    if (values.flag('json')) {
      terminal.print(JSON.stringify(answer));
      return;
    }
    const rows = answer.tables.map(cellsOf);
    for (const line of alignedLines([HEAD, ...rows])) terminal.print(line);
  },
};

export interface Assignments {
  /** The text stays text where it is no number: the server names it in its refusal. */
  readonly given: Readonly<Record<string, string | number | null>>;
  readonly mistakes: readonly string[];
}

/** Reads `TABLE=VALUE` of one option; the server knows which tables and values there are. */
export function readAssignments(option: string, list: readonly string[]): Assignments {
  const given: Record<string, string | number | null> = {};
  const mistakes: string[] = [];
  for (const text of list) {
    const [, table = '', value = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (table === '') mistakes.push(`--${option}: "${text}" is not TABLE=VALUE`);
    else if (Object.hasOwn(given, table)) mistakes.push(`--${option}: ${table} is given twice`);
    else given[table] = value === DEFAULT ? null : /^\d{1,16}$/.test(value) ? Number(value) : value;
  }
  return { given, mistakes };
}

const HEAD = ['table', 'hours', 'from', 'bytes at most', 'from', 'bytes', 'rows', 'dropped rows'];

function cellsOf(table: RetentionOfTable): readonly string[] {
  const { follows, hoursFrom, bytesMax, dropped } = table;
  const origin = follows.length === 0 ? hoursFrom : `follows ${follows.join(', ')}`;
  const cap = bytesMax === null ? ['-', '-'] : [String(bytesMax), table.bytesFrom];
  const sizes = [table.bytes, table.rows, dropped.rows].map(String);
  return [table.table, String(table.hours), origin, ...cap, ...sizes];
}
