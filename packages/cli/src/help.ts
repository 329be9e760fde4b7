import { alignedLines } from './aligned.ts';
import type { Command, Option } from './command.ts';
import { exitCodeLines } from './exit-codes.ts';

/** The page of `thalweg --help`. */
export function overallHelp(commands: readonly Command[]): string {
  return [
    'Zero-code observability for an API gateway and the services behind it.',
    '',
    'usage: thalweg COMMAND [options]',
    '',
    'commands:',
    ...indent(alignedLines(commands.map(({ name, summary }) => [name, summary]))),
    '',
    '`thalweg COMMAND --help` tells more.',
    '',
    'exit codes:',
    ...exitCodeLines(),
    '',
  ].join('\n');
}

/** The page of `thalweg COMMAND --help`, all of it from the command's declaration. */
export function commandHelp(command: Command): string {
  const names = command.positionals
    .map(({ name, repeats }) => ` ${name}${repeats === true ? ' …' : ''}`)
    .join('');
  const options = Object.entries(command.options).map(([name, option]) => [
    signature(name, option),
    option.default === undefined ? option.doc : `${option.doc} (default ${option.default})`,
  ]);
  return [
    `${command.summary}`,
    '',
    `usage: thalweg ${command.name}${names} [options]`,
    '',
    ...command.positionals.map(({ name, doc }) => `  ${name}: ${doc}`),
    ...(command.positionals.length > 0 ? [''] : []),
    'options:',
    ...indent(alignedLines([...options, ['--help', 'print this']])),
    '',
    'examples:',
    ...indent(command.examples),
    '',
    'exit codes:',
    ...exitCodeLines(),
    '',
  ].join('\n');
}

function signature(name: string, { type, value, choices }: Option): string {
  if (type === 'boolean') return `--${name}`;
  return `--${name} ${value ?? choices?.join('|') ?? (type === 'number' ? 'N' : 'TEXT')}`;
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
