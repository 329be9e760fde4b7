import type { Command } from '../command.ts';
import { untilStopped } from '../until-stopped.ts';
import { AGENT_OPTIONS, agentFrom } from './agent-part.ts';
import { SERVER_OPTIONS, serverFrom } from './server-part.ts';

export const up: Command = {
  name: 'up',
  summary: 'Runs server and agent together: everything for one machine.',
  positionals: [],
  options: { ...AGENT_OPTIONS, ...SERVER_OPTIONS },
  examples: ['thalweg up', 'thalweg up --port 8080 --data-dir ./data --spool-dir ./spool'],
  async run(context) {
    const { terminal, signal } = context;
    const server = await serverFrom(context);
    try {
      const storePid = server.storePid();
      const agent = await agentFrom(
        context,
        { server_url: server.url },
        { pidsExcluded: storePid === undefined ? [] : [storePid] },
      );
      terminal.note(`capturing on rung ${agent.status().rung}; the UI is at ${server.url}/traces`);
      await untilStopped(signal);
      await agent.close();
    } finally {
      await server.close();
    }
  },
};
