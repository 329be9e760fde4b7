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
const LOSS = /los[st]|dropped|refused|missed|cut|shed\.rested|kernel\.shed/i;
/** Connections that were seen and not understood, by what they speak. */
const OPAQUE = {
  tls: 'encrypted (TLS): its bytes say nothing from outside',
  http2: 'HTTP/2: not decoded yet',
  other: 'of a protocol that is not decoded yet, or joined in the middle',
} as const;

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
      terminal.print(JSON.stringify(report(features, seen, agent)));
      return;
    }
    printFeatures(terminal, features);
    terminal.print(`\nseen: ${seen.processes} processes, ${seen.listeningPorts} listening ports`);
    printAgent(terminal, agent);
    printOpaque(terminal, agent);
  },
};

/** The shape of `--json`, as docs/cli.md states it. */
function report(
  features: readonly Feature[],
  seen: { readonly processes: number; readonly listeningPorts: number },
  agent: AgentStatus | undefined,
) {
  const counters = agent?.counters ?? {};
  return {
    features,
    seen,
    agent: agent ?? null,
    lost: Object.fromEntries(lossesIn(counters)),
    notUnderstood: agent === undefined ? null : opaqueIn(counters),
  };
}

type Counters = AgentStatus['counters'];

function lossesIn(counters: Counters): readonly (readonly [string, number])[] {
  return Object.entries(counters).filter(([name, count]) => LOSS.test(name) && count > 0);
}

function opaqueIn(counters: Counters): Readonly<Record<keyof typeof OPAQUE, number>> {
  const [tls = 0, http2 = 0, other = 0] = ['tls', 'http2', 'other'].map(
    (kind) => counters[`flow.opaque.${kind}`],
  );
  return { tls, http2, other };
}

function printOpaque(terminal: Terminal, agent: AgentStatus | undefined): void {
  if (agent === undefined) {
    terminal.print(
      'not understood by any agent: encrypted traffic (TLS), HTTP/2, all but HTTP/1, Redis and PostgreSQL',
    );
    return;
  }
  const counts = opaqueIn(agent.counters);
  terminal.print('connections seen and not understood:');
  const rows = Object.entries(OPAQUE).map(([kind, why]) => [
    `  ${counts[kind === 'tls' || kind === 'http2' ? kind : 'other']}`,
    why,
  ]);
  for (const line of alignedLines(rows)) terminal.print(line);
}

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
  const lost = lossesIn(counters);
  for (const [key, count] of lost)
    terminal.print(`  ${terminal.paint('yellow', `${key}: ${count}`)}`);
  if (lost.length === 0) terminal.print('  nothing lost');
  if (lastError !== '') terminal.print(`  last error: ${lastError}`);
}
