import { replayFile } from '@thalweg/agent';
import { alignedLines } from '../aligned.ts';
import { CliError } from '../cli-error.ts';
import { type Command, JSON_OPTION } from '../command.ts';

export const replay: Command = {
  name: 'replay',
  summary:
    'Prints the request/response pairs of a capture file (pcap, pcapng), one JSON record each.',
  positionals: [{ name: 'FILE', doc: 'capture file' }],
  options: {
    json: { ...JSON_OPTION, doc: 'the summary as JSON too, as the last line' },
  },
  examples: ['thalweg replay traffic.pcap', 'thalweg replay traffic.pcapng | jq .path'],
  async run({ values, terminal }) {
    const [file = ''] = values.positionals;
    const summary = await replayFile(file, {
      onExchange: (record) => terminal.print(JSON.stringify(record)),
    });
    const { error, ...counts } = summary;
    if (values.flag('json')) terminal.print(JSON.stringify({ summary: counts }));
    else {
      const { packets, connections, exchanges, unknownConnections } = counts;
      const lines = Object.entries({ packets, connections, exchanges, unknownConnections });
      for (const line of alignedLines(lines.map(([name, count]) => [name, String(count)]))) {
        terminal.note(line);
      }
    }
    if (error !== undefined) {
      throw new CliError(
        'bad_input',
        `${file}: ${error.code}: ${error.message}`,
        'give a whole pcap or pcapng file; what was read before the fault is printed',
      );
    }
  },
};
