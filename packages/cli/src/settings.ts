import { AGENT_ENVIRONMENT_PREFIX, AgentSettings } from '@thalweg/agent';
import { environmentSource, parseSettings, type SettingsResult } from '@thalweg/model';
import { SERVER_ENVIRONMENT_PREFIX, ServerSettings } from '@thalweg/server';
import type { z } from 'zod';
import { CliError } from './cli-error.ts';
import type { Context } from './command.ts';
import { type ConfigFile, PART_NAMES, type PartName, readConfigFile } from './config-file.ts';

const AGENT = { name: 'agent', prefix: AGENT_ENVIRONMENT_PREFIX, schema: AgentSettings } as const;
const SERVER = {
  name: 'server',
  prefix: SERVER_ENVIRONMENT_PREFIX,
  schema: ServerSettings,
} as const;

export type SettingsOrigin = Pick<Context, 'values' | 'environment'>;

/** Values that a command sets by itself: over the environment, under the options. */
export interface OwnValues {
  readonly agent?: Partial<AgentSettings>;
  readonly server?: Partial<ServerSettings>;
}

/** What the agent would run with. Throws `CliError` that names every mistake of every source. */
export function agentSettings(origin: SettingsOrigin, own: OwnValues = {}): AgentSettings {
  const file = fileOf(origin, ['agent']);
  const agent = readPart(AGENT, origin, file, own.agent);
  refuseMistakes(file, [agent]);
  return settingsOf(agent);
}

/** What the server would run with. Throws as `agentSettings` does. */
export function serverSettings(origin: SettingsOrigin, own: OwnValues = {}): ServerSettings {
  const file = fileOf(origin, ['server']);
  const server = readPart(SERVER, origin, file, own.server);
  refuseMistakes(file, [server]);
  return settingsOf(server);
}

/** Both, for commands that run both: the mistakes of one do not hide those of the other. */
export function bothSettings(origin: SettingsOrigin, own: OwnValues = {}) {
  const file = fileOf(origin, PART_NAMES);
  const agent = readPart(AGENT, origin, file, own.agent);
  const server = readPart(SERVER, origin, file, own.server);
  refuseMistakes(file, [agent, server]);
  return {
    agent: settingsOf(agent),
    server: settingsOf(server),
    /** Each part's schema, and where each given key came from. */
    parts: [
      { ...AGENT, ...valid(agent) },
      { ...SERVER, ...valid(server) },
    ],
  };
}

function fileOf({ values }: SettingsOrigin, wanted: readonly PartName[]): ConfigFile | undefined {
  const path = values.text('config');
  return path === undefined ? undefined : readConfigFile(path, wanted);
}

function readPart<Shape extends z.ZodRawShape>(
  part: { readonly name: PartName; readonly prefix: string; readonly schema: z.ZodObject<Shape> },
  { values, environment }: SettingsOrigin,
  file: ConfigFile | undefined,
  own: Readonly<Record<string, unknown>> = {},
): SettingsResult<z.infer<z.ZodObject<Shape>>> {
  return parseSettings(part.schema, [
    ...(file === undefined ? [] : [file.parts[part.name]]),
    environmentSource(environment, part.prefix),
    { name: 'this command', given: own, spelling: (key) => key },
    values.settings(part.name),
  ]);
}

function refuseMistakes(
  file: ConfigFile | undefined,
  results: readonly SettingsResult<unknown>[],
): void {
  const mistakes = [
    ...(file?.mistakes ?? []),
    ...results.flatMap((result) => (result.kind === 'invalid' ? result.mistakes : [])),
  ];
  if (mistakes.length === 0) return;
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
  throw new CliError(
    'usage',
    [`${count} in the settings`, ...mistakes].join('\n  '),
    'correct what is named; docs/reference/settings.md lists every key',
  );
}

function valid<Settings>(result: SettingsResult<Settings>) {
  if (result.kind === 'valid') return result;
  throw new Error('BUG: mistakes are refused before');
}

function settingsOf<Settings>(result: SettingsResult<Settings>): Settings {
  return valid(result).settings;
}
