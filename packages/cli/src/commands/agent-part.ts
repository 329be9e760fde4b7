import { type Agent, type AgentSettings, startAgent } from '@thalweg/agent';
import type { Server, ServerSettings } from '@thalweg/server';
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

/** An agent that sends to the server in this process, and sees neither it nor its store. */
export function startAgentBeside(
  server: Server,
  settings: { readonly agent: AgentSettings; readonly server: ServerSettings },
): Promise<Agent> {
  const storePid = server.storePid();
  const token = settings.agent.token ?? settings.server.token;
  return startAgent(
    { ...settings.agent, server_url: server.url, token },
    {
      pidsExcluded: storePid === undefined ? [] : [storePid],
      serverPort: Number(new URL(server.url).port),
    },
  );
}
