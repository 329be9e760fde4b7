import {
  SERVER_ENVIRONMENT_PREFIX,
  type Server,
  ServerSettings,
  startServer,
} from '@thalweg/server';
import { CONFIG_OPTION, type Context, type Option } from '../command.ts';
import { readSettings } from '../settings.ts';
import { VERSION } from '../version.ts';

export const SERVER_OPTIONS: Readonly<Record<string, Option>> = {
  config: CONFIG_OPTION,
  host: { type: 'string', doc: 'address to listen on', value: 'ADDRESS' },
  port: { type: 'number', doc: 'port of UI, API and ingest; 0 picks one', max: 65_535 },
  'data-dir': { type: 'string', doc: 'directory of the store', value: 'DIR' },
};

/** Starts the server from file, environment and options, in rising order of weight. */
export function serverFrom(
  { values, environment }: Pick<Context, 'values' | 'environment'>,
  defaults: Partial<ServerSettings> = {},
): Promise<Server> {
  const port = values.text('port');
  const settings = readSettings(ServerSettings, {
    part: 'server',
    prefix: SERVER_ENVIRONMENT_PREFIX,
    file: values.text('config'),
    environment,
    overrides: {
      ...defaults,
      ...given('host', values.text('host')),
      ...given('port', port === undefined ? undefined : Number(port)),
      ...given('data_dir', values.text('data-dir')),
    },
  });
  return startServer(settings, { version: VERSION, logLevel: 'warn' });
}

export function given(key: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [key]: value };
}
