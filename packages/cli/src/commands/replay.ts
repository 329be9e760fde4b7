import { replayBytes, replayFile } from '@thalweg/agent';
import { alignedLines } from '../aligned.ts';
import { CliError } from '../cli-error.ts';
import { type Command, JSON_OPTION } from '../command.ts';
import { standardInput } from '../standard-input.ts';

const INPUT_BYTES_MAX = 2 ** 30;

export const replay: Command = {
  name: 'replay',
  summary:
    'Prints the request/response pairs of a capture file (pcap, pcapng), one JSON record each.',
  positionals: [{ name: 'FILE', doc: 'capture file, also under gzip; - reads stdin' }],
  options: {
    json: { ...JSON_OPTION, doc: 'the summary as JSON too, as the last line' },
  },
  examples: ['thalweg replay traffic.pcap', 'ssh host tcpdump -w - | thalweg replay -'],
  async run({ values, terminal }) {
    const [file = ''] = values.positionals;
    const options = {
      onExchange: (record: object) => terminal.print(JSON.stringify(record)),
    };
    const summary =
      file === '-'
        ? replayBytes(await standardInput(INPUT_BYTES_MAX), options)
        : await replayFile(file, options).catch((cause: unknown) => {
            throw unreadable(file, cause);
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

/** A file that cannot be opened or read: what is wrong with it, not with this command. */
function unreadable(file: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const code = 'code' in cause ? cause.code : undefined;
  if (code === 'EACCES' || code === 'EPERM') {
    return new CliError('not_permitted', `${file}: no permission to read it`, 'run as its owner', {
      cause,
    });
  }
  const told: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EISDIR: 'this is a directory',
  };
  const what = told[String(code)] ?? cause.message;
  return new CliError('bad_input', `${file}: ${what}`, 'give a pcap or pcapng file', { cause });
}
