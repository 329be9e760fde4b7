import type { SettingsSource } from '@thalweg/model';
import type { PartName } from './config-file.ts';
import type { Terminal } from './terminal.ts';

export interface Option {
  readonly type: 'string' | 'boolean' | 'number' | 'list' | 'choice';
  readonly doc: string;
  /** Shown in --help, and used when the option is not given. */
  readonly default?: string | number;
  /** What stands for the value in --help. */
  readonly value?: string;
  readonly min?: number;
  readonly max?: number;
  /** The values of a `choice`. */
  readonly choices?: readonly string[];
  /** The setting that this option sets; its value is checked with the other settings. */
  readonly setting?: { readonly part: PartName; readonly key: string };
}

export interface Positional {
  readonly name: string;
  readonly doc: string;
  /** The last one may be given more than once. */
  readonly repeats?: boolean;
}

export interface Values {
  text(name: string): string | undefined;
  number(name: string): number;
  flag(name: string): boolean;
  list(name: string): readonly string[];
  /** Of a `choice`, given what the option lists. */
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined;
  /** What options set of a part's settings. */
  settings(part: PartName): SettingsSource;
  readonly positionals: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Context {
  readonly values: Values;
  readonly terminal: Terminal;
  /** Of this process; settings are read from it. */
  readonly environment: Environment;
  /** Aborted at SIGINT, SIGTERM, or when the supervising process is gone. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly Positional[];
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly string[];
  /** Resolves when done; rejects with what `toCliError` understands. */
  run(context: Context): Promise<void>;
}

export const JSON_OPTION: Option = { type: 'boolean', doc: 'print JSON on stdout' };
export const CONFIG_OPTION: Option = {
  type: 'string',
  value: 'FILE',
  doc: 'configuration, YAML or JSON; docs/reference/settings.md lists every key',
};
