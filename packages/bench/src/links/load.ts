import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** wrk asks for a path of its own each time: the evaluator knows requests by it. */
const SCRIPT = `
local count = 0
request = function()
  count = count + 1
  local id = RUN .. '-' .. count
  if HAS_IDS then wrk.headers['X-Request-ID'] = id end
  return wrk.format('GET', '/r/' .. id)
end
`;

/** Drives `connections` connections, each with one request at a time, and answers how many ran. */
export async function askDistinctPaths(options: {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly run: string;
  /** Whether each request carries an X-Request-ID of its own. */
  readonly hasIds: boolean;
}): Promise<number> {
  const { port, connections, seconds, run, hasIds } = options;
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-links-load-'));
  const script = join(folder, 'paths.lua');
  writeFileSync(script, `local RUN = '${run}'\nlocal HAS_IDS = ${hasIds}\n${SCRIPT}`);
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '-s',
    script,
    `http://127.0.0.1:${port}/`,
  ];
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', (cause) => {
        reject(new Error('wrk did not start; fix: install wrk (make build does)', { cause }));
      });
      child.once('close', () => resolve());
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
}
