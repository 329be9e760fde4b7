import { type Command, JSON_OPTION } from '../command.ts';
import { VERSION } from '../version.ts';

export const version: Command = {
  name: 'version',
  summary: 'Prints the version.',
  positionals: [],
  options: { json: JSON_OPTION },
  examples: ['thalweg version', 'thalweg version --json'],
  async run({ values, terminal }) {
    const { version: node, platform, arch } = process;
    const isJson = values.flag('json');
    terminal.print(isJson ? JSON.stringify({ version: VERSION, node, platform, arch }) : VERSION);
  },
};
