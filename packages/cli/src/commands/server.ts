import type { Command } from '../command.ts';
import { serverSettings } from '../settings.ts';
import { untilStopped } from '../until-stopped.ts';
import { SERVER_OPTIONS, serverFrom } from './server-part.ts';

export const server: Command = {
  name: 'server',
  summary: 'Runs the server: store, ingest, API and UI.',
  positionals: [],
  options: SERVER_OPTIONS,
  examples: ['thalweg server', 'thalweg server --port 20416 --data-dir /var/lib/thalweg/data'],
  async run(context) {
    const { terminal, signal } = context;
    const running = await serverFrom(serverSettings(context));
    terminal.note(`server: ${running.url}`);
    await untilStopped(signal);
    terminal.note('server: stopping, what is acknowledged stays');
    await running.close();
  },
};
