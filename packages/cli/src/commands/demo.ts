import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  COLLECTOR_PORT,
  checkDemo,
  type Demo,
  type LoadReport,
  makeRunFolder,
  startDemo,
  startWebShop,
} from '@thalweg/demo';
import type { TraceAnswer } from '@thalweg/model';
import { alignedLines } from '../aligned.ts';
import { CliError } from '../cli-error.ts';
import { type Command, type Context, JSON_OPTION } from '../command.ts';
import { createServerClient, type ServerClient } from '../server-client.ts';
import { bothSettings, type OwnValues } from '../settings.ts';
import { traceTree, withoutInterfaces } from '../trace-tree.ts';
import { untilStopped } from '../until-stopped.ts';
import { startAgentBeside } from './agent-part.ts';
import { SERVER_OPTIONS, serverFrom } from './server-part.ts';

const SETTLE_MS_MAX = 30_000;
const POLL_MS = 500;
/** More than this does not read well in a terminal. */
const TREE_ROWS_MAX = 40;
/** A trace that went all the way is shown. */
const EXAMPLE_SPANS = 6;
/** The gentle load of a demo that stays up: 2 connections that rest between requests. */
const BACKGROUND = { requests: 1_000, connections: 2, pauseMs: 200 } as const;

/** What `--once --json` prints. */
interface DemoResult {
  readonly requests: number;
  readonly traces: number;
  /** Traces that are one tree of all the spans that their request leaves. */
  readonly completeTraces: number;
  readonly spans: number;
  readonly lostEvents: number;
  readonly uiUrl: string;
}

export const demo: Command = {
  name: 'demo',
  summary:
    'Starts everything with a demo: a gateway and two services on hosts of their own, traced.',
  positionals: [],
  options: {
    shop: {
      type: 'boolean',
      doc: 'five services with OpenTelemetry SDKs, PostgreSQL and Redis behind `thalweg gateway`, in place of nginx and two services without SDK',
    },
    once: { type: 'boolean', doc: 'drive the load, report, and end' },
    requests: { type: 'number', doc: 'requests to send', default: 1_000, min: 1, max: 100_000 },
    connections: { type: 'number', doc: 'connections at once', default: 16, min: 1, max: 512 },
    json: JSON_OPTION,
    ...SERVER_OPTIONS,
  },
  examples: ['thalweg demo', 'thalweg demo --shop', 'thalweg demo --once --json'],
  async run(context) {
    const { values, terminal, environment, signal } = context;
    const path = environment['PATH'] ?? '';
    const isOnce = values.flag('once');
    // What cannot work is said before anything is started.
    checkDemo({ path });
    const folder = makeRunFolder('demo');
    const closers: (() => Promise<void>)[] = [async () => folder.remove()];
    try {
      const settings = bothSettings(context, ownValues(folder.path, isOnce));
      terminal.note('starting the server …');
      const server = await serverFrom(settings.server);
      closers.push(() => server.close());
      goOn(signal);
      const agent = await startAgentBeside(server, settings);
      closers.push(() => agent.close());
      goOn(signal);
      const hosts = await startHosts(context, server.url, path);
      closers.push(() => hosts.close());
      await agent.followInterfaces();
      goOn(signal);

      const client = createServerClient(server.url, settings.server.token);
      const [requests, connections] = [values.number('requests'), values.number('connections')];
      terminal.note(`sending ${requests} requests over ${connections} connections …`);
      const report = await orStopped(signal, hosts.drive(requests, connections));
      const found = await settle(client, hosts, report, signal);
      const result: DemoResult = {
        requests: report.requests,
        ...found.counts,
        lostEvents: agent.status().counters['lost_events'] ?? 0,
        uiUrl: `${server.url}/traces`,
      };
      if (result.completeTraces === 0) {
        throw new CliError(
          'failed',
          noTrace(result, agent.status().reason),
          'run `thalweg doctor`',
        );
      }
      if (values.flag('json')) terminal.print(JSON.stringify(result));
      else printResult(terminal.print, result, found.example);
      if (isOnce) return;
      terminal.note(`\nthe UI: ${result.uiUrl}   (Ctrl-C ends the demo)`);
      await background(hosts, signal);
    } finally {
      for (const close of closers.reverse()) await close();
    }
  },
};

function startHosts({ values, terminal }: Context, serverUrl: string, path: string): Promise<Demo> {
  if (!values.flag('shop')) {
    terminal.note('starting the hosts: client, gateway (nginx), orders, stock …');
    return startDemo({ path });
  }
  terminal.note(
    'starting the hosts: client, gateway (thalweg), five services, PostgreSQL, Redis …',
  );
  const self = [process.execPath, ...process.execArgv, process.argv[1] ?? ''];
  return startWebShop({ path, gatewayCommand: [...self, 'gateway'], serverUrl });
}

/** The demo keeps nothing and disturbs no agent or server that runs here already. */
function ownValues(folder: string, isOnce: boolean): OwnValues {
  return {
    agent: {
      spool_dir: join(folder, 'spool'),
      status_port: 0,
      flush_ms: 250,
      network_spans: 'requests',
      // Its load wants the whole machine, and every request is to be seen: no budget.
      cpu_busy_share: 1,
      // What SDKs send to us is not what the shop is about.
      ports_excluded: [COLLECTOR_PORT],
    },
    server: { data_dir: join(folder, 'data'), ...(isOnce ? { port: 0 } : {}) },
  };
}

function goOn(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new CliError('interrupted', 'the demo was stopped before it was done', 'start it again');
}

/** What `work` gives, unless the signal comes first; `work` ends with what it needs, in `close`. */
async function orStopped<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const failed = work.catch((error: unknown) => {
    goOn(signal);
    throw error;
  });
  await Promise.race([failed, untilStopped(signal)]);
  goOn(signal);
  return failed;
}

interface Found {
  readonly counts: Pick<DemoResult, 'traces' | 'completeTraces' | 'spans'>;
  readonly example: TraceAnswer | undefined;
}

/** Looks until every request has its complete trace, or no more of them turn up. */
async function settle(
  client: ServerClient,
  hosts: Demo,
  report: LoadReport,
  signal: AbortSignal,
): Promise<Found> {
  const deadline = Date.now() + SETTLE_MS_MAX;
  let found = await count(client, hosts, report);
  let unchanged = 0;
  while (
    found.counts.completeTraces < report.requests &&
    Date.now() < deadline &&
    !signal.aborted
  ) {
    await sleep(POLL_MS);
    const now = await count(client, hosts, report);
    unchanged = now.counts.completeTraces > found.counts.completeTraces ? 0 : unchanged + 1;
    found = now;
    if (unchanged > 10) break;
  }
  goOn(signal);
  return found;
}

async function count(client: ServerClient, hosts: Demo, report: LoadReport): Promise<Found> {
  let [traces, completeTraces, spans] = [0, 0, 0];
  let example: TraceAnswer | undefined;
  let exampleId: string | undefined;
  for await (const trace of client.allTraces(report.startUs - 1e6, report.endUs + 1e6)) {
    if (!trace.hostName.startsWith(hosts.prefix)) continue;
    traces += 1;
    spans += trace.spanCount;
    // As many spans as the path leaves, all under one root: the entry is the client's own.
    const processSpans = trace.spanCount - trace.networkSpanCount;
    const isComplete = trace.rootCount === 1 && processSpans === hosts.expectedSpans(trace.path);
    if (isComplete) completeTraces += 1;
    if (isComplete && processSpans >= EXAMPLE_SPANS) exampleId ??= trace.traceId;
  }
  if (exampleId !== undefined) example = await client.trace(exampleId);
  return { counts: { traces, completeTraces, spans }, example };
}

function noTrace({ requests, traces, spans, lostEvents }: DemoResult, reason: string): string {
  const seen = `${traces} traces with ${spans} spans, ${lostEvents} events lost`;
  return `no complete trace of ${requests} requests: ${seen}${reason === '' ? '' : `; ${reason}`}`;
}

function printResult(
  print: (text: string) => void,
  result: DemoResult,
  example: TraceAnswer | undefined,
): void {
  const { requests, traces, completeTraces, spans, lostEvents } = result;
  if (example !== undefined) {
    print('\none of the traces:\n');
    const isLong = example.spans.length > TREE_ROWS_MAX;
    const spans = isLong ? withoutInterfaces(example.spans) : example.spans;
    for (const line of alignedLines(traceTree({ spans }))) print(`  ${line}`);
    const left = example.spans.length - spans.length;
    if (left > 0) print(`\n  and ${left} rows of interfaces in between, which the UI shows`);
  }
  print(`\n${requests} requests, ${traces} traces, ${completeTraces} complete`);
  print(`${spans} spans, ${lostEvents} events lost`);
}

async function background(hosts: Demo, signal: AbortSignal): Promise<void> {
  const { requests, connections, pauseMs } = BACKGROUND;
  const drive = async (): Promise<void> => {
    while (!signal.aborted) await hosts.drive(requests, connections, pauseMs);
  };
  // At the end the client is stopped in the middle of a drive: that is not an error.
  await Promise.race([
    untilStopped(signal),
    drive().catch((error: unknown) => {
      if (!signal.aborted) throw error;
    }),
  ]);
}
