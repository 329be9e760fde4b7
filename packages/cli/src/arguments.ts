import { parseArgs } from 'node:util';
import { nearest, type SettingsSource } from '@thalweg/model';
import { CliError } from './cli-error.ts';
import type { Command, Option, Values } from './command.ts';
import type { PartName } from './config-file.ts';

/** Reads what stands behind the command's name. Throws `CliError` with code `usage`. */
export function parseArguments(command: Command, words: readonly string[]): Values {
  const { values, positionals } = parseWords(command, words);
  const missing = command.positionals[positionals.length];
  if (missing !== undefined) throw usage(command, `${missing.name} is missing`);
  const extra = positionals[command.positionals.length];
  const repeats = command.positionals.at(-1)?.repeats === true;
  if (extra !== undefined && !repeats) throw usage(command, `"${extra}" is one argument too many`);

  const mistakes = Object.entries(command.options).flatMap(([name, option]) =>
    valueMistake(name, option, values[name]),
  );
  if (mistakes.length > 0) throw usage(command, mistakes.join('; '));
  const given = (name: string): unknown => values[name] ?? command.options[name]?.default;
  return {
    text: (name) => (given(name) === undefined ? undefined : String(given(name))),
    number: (name) => Number(given(name) ?? Number.NaN),
    flag: (name) => given(name) === true,
    list: (name) => {
      const list = given(name);
      return Array.isArray(list) ? list.map(String) : [];
    },
    choice: (name, choices) => choices.find((choice) => choice === given(name)),
    settings: (part) => settingsSource(command, values, part),
    positionals,
  };
}

function settingsSource(
  { options }: Command,
  values: Readonly<Record<string, unknown>>,
  part: PartName,
): SettingsSource {
  const setters = Object.entries(options).filter(([, { setting }]) => setting?.part === part);
  return {
    name: 'command line',
    given: Object.fromEntries(setters.map(([name, { setting }]) => [setting?.key, values[name]])),
    spelling: (key) => {
      const setter = setters.find(([, { setting }]) => setting?.key === key);
      return setter === undefined ? key : `--${setter[0]}`;
    },
  };
}

function parseWords(command: Command, words: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type }]) => [
      name,
      {
        type: type === 'boolean' ? ('boolean' as const) : ('string' as const),
        multiple: type === 'list',
      },
    ]),
  );
  const parsed = parseArgs({
    args: [...words],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue;
    const option = command.options[token.name];
    if (option === undefined) throw unknownOption(command, token.rawName, token.name);
    if (option.type === 'boolean' && token.value !== undefined) {
      throw usage(command, `${token.rawName} takes no value`);
    }
    if (option.type !== 'boolean' && token.value === undefined) {
      throw usage(command, `${token.rawName} needs a value`);
    }
  }
  return parsed;
}

function unknownOption(command: Command, rawName: string, name: string): CliError {
  const near = nearest(name, Object.keys(command.options));
  const hint = near === undefined ? '' : `; did you mean --${near}?`;
  return usage(command, `unknown option ${rawName}${hint}`);
}

function valueMistake(name: string, option: Option, given: unknown): readonly string[] {
  if (option.setting !== undefined || given === undefined) return [];
  if (option.type === 'choice') return choiceMistake(name, option.choices ?? [], String(given));
  return option.type === 'number' ? numberMistake(name, option, given) : [];
}

function choiceMistake(name: string, choices: readonly string[], given: string): readonly string[] {
  return choices.includes(given) ? [] : [`--${name} is "${given}", not ${choices.join(' or ')}`];
}

function numberMistake(
  name: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: Option,
  given: unknown,
): readonly string[] {
  const value = Number(given);
  if (given !== '' && Number.isInteger(value) && value >= min && value <= max) return [];
  return [`--${name} is "${String(given)}", not a whole number from ${min} to ${max}`];
}

function usage(command: Command, message: string): CliError {
  return new CliError('usage', message, `see \`thalweg ${command.name} --help\``);
}
