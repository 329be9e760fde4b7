import { nearest } from '@thalweg/model';
import { parseArguments } from './arguments.ts';
import { CliError, toCliError } from './cli-error.ts';
import type { Command } from './command.ts';
import { agent } from './commands/agent.ts';
import { bench } from './commands/bench.ts';
import { config } from './commands/config.ts';
import { demo } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { gateway } from './commands/gateway.ts';
import { promqltest } from './commands/promqltest.ts';
import { query } from './commands/query.ts';
import { replay } from './commands/replay.ts';
import { retention } from './commands/retention.ts';
import { server } from './commands/server.ts';
import { up } from './commands/up.ts';
import { version } from './commands/version.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { commandHelp, overallHelp } from './help.ts';
import { openTerminal } from './terminal.ts';

const COMMANDS: readonly Command[] = [
  up,
  agent,
  server,
  gateway,
  demo,
  replay,
  query,
  retention,
  doctor,
  config,
  promqltest,
  bench,
  version,
];

const terminal = openTerminal();
const stopping = new AbortController();
// SIGHUP: the terminal was closed.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (stopping.signal.aborted) process.exit(EXIT_CODES.interrupted.status);
    terminal.note('stopping; once more to stop at once');
    stopping.abort();
  });
}
// `thalweg replay FILE | head` closes the pipe early: that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT_CODES.ok.status : EXIT_CODES.failed.status);
});

try {
  await run(process.argv.slice(2));
  process.exit(EXIT_CODES.ok.status);
} catch (error) {
  const { message, fix, code } = toCliError(error);
  terminal.note(`thalweg: ${message}\nfix: ${fix}\ncode: ${code}`);
  process.exit(EXIT_CODES[code].status);
}

async function run([name, ...words]: readonly string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const [about] = words;
    terminal.print(about === undefined ? overallHelp(COMMANDS) : commandHelp(commandOf(about)));
    return;
  }
  const command = commandOf(name === '--version' ? version.name : name);
  if (words.includes('--help') || words.includes('-h')) {
    terminal.print(commandHelp(command));
    return;
  }
  const values = parseArguments(command, words);
  await command.run({ values, terminal, environment: process.env, signal: stopping.signal });
}

function commandOf(name: string): Command {
  const found = COMMANDS.find((known) => known.name === name);
  if (found !== undefined) return found;
  const near = nearest(
    name,
    COMMANDS.map((command) => command.name),
  );
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  throw new CliError('usage', `unknown command "${name}"${hint}`, 'see `thalweg --help`');
}
