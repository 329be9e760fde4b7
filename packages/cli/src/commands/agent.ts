import { startAgent } from '@thalweg/agent';
import type { Command } from '../command.ts';
import { agentSettings } from '../settings.ts';
import { untilStopped } from '../until-stopped.ts';
import { AGENT_OPTIONS } from './agent-part.ts';

export const agent: Command = {
  name: 'agent',
  summary: 'Runs the agent: sees requests on this host by eBPF and sends them to a server.',
  positionals: [],
  options: AGENT_OPTIONS,
  examples: ['thalweg agent', 'thalweg agent --server-url http://127.0.0.1:20416 --only-port 8080'],
  async run(context) {
    const { terminal, signal } = context;
    const running = await startAgent(agentSettings(context));
    const { rung, reason } = running.status();
    const below = reason === '' ? '' : ` (${reason})`;
    terminal.note(`agent: capturing on rung ${rung}${below}; status: ${running.statusUrl}/status`);
    await untilStopped(signal);
    terminal.note('agent: stopping, what is not sent stays in the spool');
    await running.close();
  },
};
