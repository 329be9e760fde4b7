import { type Server, type ServerSettings, startServer } from '@thalweg/server';
import { CONFIG_OPTION, type Option } from '../command.ts';
import { VERSION } from '../version.ts';

/** Options of every command that runs a server; each sets the server's setting that it names. */
export const SERVER_OPTIONS = {
  config: CONFIG_OPTION,
  host: {
    type: 'string',
    doc: 'address to listen on',
    value: 'ADDRESS',
    setting: { part: 'server', key: 'host' },
  },
  port: {
    type: 'number',
    doc: 'port of UI, API and ingest; 0 picks one',
    setting: { part: 'server', key: 'port' },
  },
  'data-dir': {
    type: 'string',
    doc: 'directory of the store',
    value: 'DIR',
    setting: { part: 'server', key: 'data_dir' },
  },
} as const satisfies Readonly<Record<string, Option>>;

export function serverFrom(settings: ServerSettings): Promise<Server> {
  return startServer(settings, { version: VERSION, logLevel: 'warn', warmsUp: true });
}
