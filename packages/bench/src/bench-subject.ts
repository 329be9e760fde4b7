import { AgentSettings, startAgent } from '@thalweg/agent';
import { makeRunFolder } from '@thalweg/demo';
import type { FromSubject, SubjectState, ToSubject } from './subject.ts';

// The process that the capture bench measures: an agent, told over IPC what to capture.
const [, , sinkPort, portList, budget] = process.argv;
const ports = (portList ?? '').split(',').map(Number);
const temporary = makeRunFolder('spool');
const spoolDir = temporary.path;
const tell = (message: FromSubject): void => void process.send?.(message);

try {
  const agent = await startAgent(
    AgentSettings.parse({
      name: 'bench',
      server_url: `http://127.0.0.1:${sinkPort}`,
      spool_dir: spoolDir,
      status_port: 0,
      ports_excluded: [Number(sinkPort)],
      ...(budget === 'unbounded' ? { cpu_budget_cores: 64, cpu_busy_share: 1 } : {}),
    }),
  );
  const filters: Record<SubjectState, readonly number[]> = { off: [], filtered: ports, full: [] };
  process.on('message', (message: ToSubject) => {
    if (message.kind === 'counters') {
      const { counters } = agent.status();
      const lost = counters['lost_events'] ?? 0;
      const lookedMs = counters['shed.looked_ms'] ?? 0;
      const restedMs = counters['shed.rested_ms'] ?? 0;
      tell({ kind: 'counters', counters: { lost, lookedMs, restedMs } });
    }
    if (message.kind === 'become') {
      agent.setAttached(message.state !== 'off');
      agent.setFilter({ portsExcluded: [Number(sinkPort), ...filters[message.state]] });
      tell({ kind: 'ready' });
    }
    if (message.kind === 'close') void end();
  });
  const end = async (): Promise<void> => {
    await agent.close();
    temporary.remove();
    process.exit(0);
  };
  process.once('disconnect', () => void end());
  tell({ kind: 'ready' });
} catch (error) {
  tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
