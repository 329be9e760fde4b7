import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * wrk asks for a path of its own each time: the evaluator knows requests by it. Its end would cut off
 * what is under way; so past the load's time connections wait instead of asking, and wrk is told to end
 * at the last answer. It sleeps for its whole duration unless a signal wakes it.
 */
const SCRIPT = `
local ffi = require('ffi')
ffi.cdef('typedef struct { long s; long ns; } load_time; int clock_gettime(int, load_time *);')
ffi.cdef('int getpid(void); int kill(int, int);')
local MONOTONIC, SIGINT = 1, 2
local now = ffi.new('load_time')
local count, waiting, until_s = 0, 0, nil
local function seconds()
  ffi.C.clock_gettime(MONOTONIC, now)
  return tonumber(now.s) + tonumber(now.ns) / 1e9
end
local function is_over()
  until_s = until_s or seconds() + SECONDS
  return seconds() >= until_s
end
request = function()
  count = count + 1
  local id = RUN .. '-' .. count
  if HAS_IDS then wrk.headers['X-Request-ID'] = id end
  return wrk.format('GET', '/r/' .. id)
end
if DRAINS then
  delay = function()
    if is_over() then return 60000 end
    waiting = waiting + 1
    return 0
  end
  response = function()
    waiting = waiting - 1
    if waiting == 0 and is_over() then ffi.C.kill(ffi.C.getpid(), SIGINT) end
  end
end
`;
/** How long answers may take after the load's end. */
const DRAIN_SECONDS = 5;

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** Part of each path. */
  readonly run: string;
  /** Whether each request carries an X-Request-ID of its own. */
  readonly hasIds: boolean;
  /** Whether clients leave at the end with their requests under way, rather than wait for answers. */
  readonly isCutOff?: boolean;
}

/** Drives `connections` connections, each with one request at a time, and answers how many ran. */
export async function askDistinctPaths(
  options: Load & { readonly seconds: number },
): Promise<number> {
  const { port, connections, seconds, run, hasIds, isCutOff = false } = options;
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-links-load-'));
  const script = join(folder, 'paths.lua');
  writeFileSync(
    script,
    `local RUN, HAS_IDS, SECONDS, DRAINS = '${run}', ${hasIds}, ${seconds}, ${!isCutOff}\n${SCRIPT}`,
  );
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${isCutOff ? seconds : seconds + DRAIN_SECONDS}s`,
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
