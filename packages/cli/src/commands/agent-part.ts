import {
  AGENT_ENVIRONMENT_PREFIX,
  type Agent,
  type AgentOptions,
  AgentSettings,
  startAgent,
} from '@thalweg/agent';
import { CONFIG_OPTION, type Context, type Option } from '../command.ts';
import { readSettings } from '../settings.ts';
import { given } from './server-part.ts';

export const AGENT_OPTIONS: Readonly<Record<string, Option>> = {
  config: CONFIG_OPTION,
  'server-url': { type: 'string', doc: 'where rows are sent', value: 'URL' },
  'spool-dir': { type: 'string', doc: 'rows that wait', value: 'DIR' },
  'status-port': { type: 'number', doc: 'loopback port of /status; 0 picks one', max: 65_535 },
  'only-port': {
    type: 'list',
    doc: 'capture only sockets with this port (repeatable)',
    value: 'N',
  },
};

/** Starts the agent from file, environment and options, in rising order of weight. */
export function agentFrom(
  { values, environment }: Pick<Context, 'values' | 'environment'>,
  defaults: Partial<AgentSettings> = {},
  options: AgentOptions = {},
): Promise<Agent> {
  const statusPort = values.text('status-port');
  const onlyPorts = values.list('only-port');
  const settings = readSettings(AgentSettings, {
    part: 'agent',
    prefix: AGENT_ENVIRONMENT_PREFIX,
    file: values.text('config'),
    environment,
    overrides: {
      ...defaults,
      ...given('server_url', values.text('server-url')),
      ...given('spool_dir', values.text('spool-dir')),
      ...given('status_port', statusPort === undefined ? undefined : Number(statusPort)),
      ...given('ports', onlyPorts.length === 0 ? undefined : onlyPorts.map(Number)),
    },
  });
  return startAgent(settings, options);
}
