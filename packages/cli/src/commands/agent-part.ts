import { CONFIG_OPTION, type Option } from '../command.ts';

/** Options of every command that runs an agent; each sets the agent's setting that it names. */
export const AGENT_OPTIONS = {
  config: CONFIG_OPTION,
  'server-url': {
    type: 'string',
    doc: 'where rows are sent',
    value: 'URL',
    setting: { part: 'agent', key: 'server_url' },
  },
  'spool-dir': {
    type: 'string',
    doc: 'rows that wait',
    value: 'DIR',
    setting: { part: 'agent', key: 'spool_dir' },
  },
  'status-port': {
    type: 'number',
    doc: 'loopback port of /status; 0 picks one',
    setting: { part: 'agent', key: 'status_port' },
  },
  'only-port': {
    type: 'list',
    doc: 'capture only sockets with this port (repeatable)',
    value: 'N',
    setting: { part: 'agent', key: 'ports' },
  },
} as const satisfies Readonly<Record<string, Option>>;
