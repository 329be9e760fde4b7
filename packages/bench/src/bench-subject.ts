import { AgentSettings, startAgent } from '@thalweg/agent';
import { makeRunFolder } from '@thalweg/demo';
import type { FromSubject, SubjectState, ToSubject } from './subject.ts';

// The process that the capture bench measures: an agent, told over IPC what to capture.
const [, , sinkPort, portList] = process.argv;
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
    }),
  );
  const filters: Record<SubjectState, readonly number[]> = { off: [], filtered: ports, full: [] };
  process.on('message', (message: ToSubject) => {
    if (message.kind === 'lost')
      tell({ kind: 'lost', lost: agent.status().counters['lost_events'] ?? 0 });
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
