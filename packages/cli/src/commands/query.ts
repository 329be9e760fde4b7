import { alignedLines } from '../aligned.ts';
import { type Command, JSON_OPTION, type Option } from '../command.ts';
import { createServerClient } from '../server-client.ts';
import { standardInput } from '../standard-input.ts';

const SQL_BYTES_MAX = 1 << 20;

/** Of a server that is running already. */
export const URL_OPTION: Option = {
  type: 'string',
  value: 'URL',
  doc: 'the server; its token is read from THALWEG_SERVER_TOKEN',
  default: 'http://127.0.0.1:20416',
};

export const query: Command = {
  name: 'query',
  summary: 'Asks a running server in SQL (read-only).',
  positionals: [{ name: 'SQL', doc: 'a SELECT or SHOW statement; - reads it from stdin' }],
  options: { url: URL_OPTION, json: JSON_OPTION },
  examples: [
    'thalweg query "SHOW tags FROM l7_flow_log"',
    'thalweg query "SELECT app_service, Count(row) AS n FROM l7_flow_log GROUP BY app_service"',
    'thalweg query - --json <report.sql',
  ],
  async run({ values, terminal, environment }) {
    const [given = ''] = values.positionals;
    const sql = given === '-' ? (await standardInput(SQL_BYTES_MAX)).toString() : given;
    const url = values.text('url') ?? '';
    const client = createServerClient(url, environment['THALWEG_SERVER_TOKEN']);
    const result = await client.query(sql);
    if (values.flag('json')) {
      terminal.print(JSON.stringify(result));
      return;
    }
    const rows = result.values.map((row) => row.map((value) => String(value)));
    for (const line of alignedLines([result.columns, ...rows])) terminal.print(line);
    terminal.note(`${rows.length} rows`);
  },
};
