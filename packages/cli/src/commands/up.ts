import type { Command } from '../command.ts';
import { bothSettings } from '../settings.ts';
import { untilStopped } from '../until-stopped.ts';
import { AGENT_OPTIONS, startAgentBeside } from './agent-part.ts';
import { SERVER_OPTIONS, serverFrom } from './server-part.ts';

// The agent's server is the one that starts with it: its address is no option here.
const { 'server-url': _serverUrl, ...agentOptions } = AGENT_OPTIONS;

export const up: Command = {
  name: 'up',
  summary: 'Runs server and agent together: everything for one machine.',
  positionals: [],
  options: { ...agentOptions, ...SERVER_OPTIONS },
  examples: ['thalweg up', 'thalweg up --port 8080 --data-dir ./data --spool-dir ./spool'],
  async run(context) {
    const { terminal, signal } = context;
    const settings = bothSettings(context);
    const server = await serverFrom(settings.server);
    try {
      const agent = await startAgentBeside(server, settings);
      terminal.note(`capturing on rung ${agent.status().rung}; the UI is at ${server.url}/traces`);
      await untilStopped(signal);
      await agent.close();
    } finally {
      await server.close();
    }
  },
};
