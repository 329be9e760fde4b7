import { readdirSync } from 'node:fs';
import { type Feature, listListeners, probeFeatures } from '@thalweg/agent';
import { z } from 'zod';
import { alignedLines } from '../aligned.ts';
import { type Command, JSON_OPTION } from '../command.ts';
import type { Terminal } from '../terminal.ts';

const AgentStatus = z.object({
  name: z.string(),
  pid: z.number(),
  isAttached: z.boolean(),
  rung: z.string(),
  counters: z.record(z.string(), z.number()),
  lastError: z.string(),
});
type AgentStatus = z.infer<typeof AgentStatus>;

const ASK_MS_MAX = 2_000;
/** Counters that say that something is missing from the picture. */
const LOSS = /lost|dropped|refused|unknown|cut/i;

export const doctor: Command = {
  name: 'doctor',
  summary: 'Says what works on this machine, on which rung and why, what is seen and what is lost.',
  positionals: [],
  options: {
    json: JSON_OPTION,
    'agent-url': {
      type: 'string',
      value: 'URL',
      doc: 'status address of a running agent',
      default: 'http://127.0.0.1:38086',
    },
  },
  examples: ['thalweg doctor', 'thalweg doctor --json'],
  async run({ values, terminal }) {
    const features = probeFeatures();
    const seen = {
      processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
      listeningPorts: listListeners().length,
    };
    const agent = await askAgent(values.text('agent-url') ?? '');
    if (values.flag('json')) {
      terminal.print(JSON.stringify({ features, seen, agent: agent ?? null }));
      return;
    }
    printFeatures(terminal, features);
    terminal.print(`\nseen: ${seen.processes} processes, ${seen.listeningPorts} listening ports`);
    printAgent(terminal, agent);
    terminal.print('not seen: encrypted traffic (TLS), HTTP/2 and other protocols than HTTP/1');
  },
};

async function askAgent(url: string): Promise<AgentStatus | undefined> {
  try {
    const answer = await fetch(new URL('/status', url), {
      signal: AbortSignal.timeout(ASK_MS_MAX),
    });
    return AgentStatus.parse(await answer.json());
  } catch {
    return undefined; // No agent there: said so to the reader.
  }
}

function printFeatures(terminal: Terminal, features: readonly Feature[]): void {
  const rows = features.map(({ feature, isOn, rung, reason }) => [
    terminal.paint(isOn ? 'green' : 'red', isOn ? 'on ' : 'off'),
    `rung ${rung}`,
    feature,
    reason,
  ]);
  for (const line of alignedLines(rows)) terminal.print(line);
  for (const { fix } of features) if (fix !== '') terminal.print(`fix: ${fix}`);
}

function printAgent(terminal: Terminal, agent: AgentStatus | undefined): void {
  if (agent === undefined) {
    terminal.print('agent: none answers; start one with `thalweg agent` or `thalweg up`');
    return;
  }
  const { name, pid, isAttached, rung, counters, lastError } = agent;
  terminal.print(
    `agent: ${name}, pid ${pid}, ${isAttached ? `capturing on rung ${rung}` : 'detached'}`,
  );
  const exchanges = counters['flow.exchanges'] ?? 0;
  terminal.print(`  ${counters['kernel.events'] ?? 0} events, ${exchanges} exchanges`);
  const lost = Object.entries(counters).filter(([key, count]) => LOSS.test(key) && count > 0);
  for (const [key, count] of lost)
    terminal.print(`  ${terminal.paint('yellow', `${key}: ${count}`)}`);
  if (lost.length === 0) terminal.print('  nothing lost');
  if (lastError !== '') terminal.print(`  last error: ${lastError}`);
}
