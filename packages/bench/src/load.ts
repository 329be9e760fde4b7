import { spawn } from 'node:child_process';
import { createConnection, type Socket } from 'node:net';

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const UNITS_S: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60 };

/** Saturates `url` with wrk for a while; one thread, so that servers and agent keep a core. */
export async function saturate(
  url: string,
  connections: number,
  seconds: number,
  words: readonly string[] = [],
): Promise<LoadResult> {
  const args = ['-t1', '--latency', `-c${connections}`, `-d${seconds}s`, ...words, url];
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Error('wrk did not start; fix: install wrk (make build does)', { cause }));
    });
    child.once('close', () => resolve());
  });
  const ran = /(\d+) requests in ([\d.]+)(ms|s|m)/.exec(text);
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(text);
  const broken = /Socket errors: (.*)/.exec(text)?.[1]?.match(/\d+/g) ?? [];
  const unit = UNITS_S[ran?.[3] ?? 's'] ?? 1;
  const percentileMs = (percent: number): number => {
    const line = new RegExp(`^ +${percent}% +([\\d.]+)(us|ms|s|m)$`, 'm').exec(text);
    return Number(line?.[1]) * (UNITS_S[line?.[2] ?? ''] ?? Number.NaN) * 1e3;
  };
  return {
    requests: Number(ran?.[1] ?? 0),
    seconds: Number(ran?.[2] ?? 0) * unit,
    errors: broken.reduce((sum, count) => sum + Number(count), Number(bad?.[1] ?? 0)),
    p50Ms: percentileMs(50),
    p99Ms: percentileMs(99),
  };
}

const TICK_MS = 1;

/**
 * Sends `perSecond` requests whatever the answers do (open loop), over `connections` kept open.
 * Latencies in microseconds are counted from when a request was due, so a stall is not hidden.
 */
export async function fixedRate(options: {
  port: number;
  perSecond: number;
  connections: number;
  seconds: number;
  /** Field lines besides Host. */
  headers?: readonly string[];
}): Promise<{ latenciesUs: Float64Array; unsent: number }> {
  const { port, perSecond, connections, seconds } = options;
  const total = Math.floor(perSecond * seconds);
  const latenciesUs = new Float64Array(total);
  const lines = ['GET / HTTP/1.1', 'Host: bench', ...(options.headers ?? []), '', ''];
  const request = Buffer.from(lines.join('\r\n'));
  const idle: Line[] = [];
  const open = await Promise.all(
    Array.from({ length: connections }, () => openLine(port, (line) => idle.push(line))),
  );
  idle.push(...open);
  let answered = 0;
  let sent = 0;
  const startMs = performance.now();

  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - startMs;
      const due = Math.min(total, Math.floor((elapsedMs * perSecond) / 1e3));
      for (; sent < due; sent += 1) {
        const line = idle.pop();
        if (line === undefined) break;
        const dueMs = startMs + (sent * 1e3) / perSecond;
        line.onAnswer = (nowMs) => {
          latenciesUs[answered] = (nowMs - dueMs) * 1e3;
          answered += 1;
        };
        line.socket.write(request);
      }
      if (elapsedMs < seconds * 1e3 + 500 && answered < total) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  for (const { socket } of open) socket.destroy();
  return { latenciesUs: latenciesUs.slice(0, answered), unsent: total - answered };
}

interface Line {
  readonly socket: Socket;
  onAnswer: (nowMs: number) => void;
}

/** One kept connection with at most one request on its way; answers of one read are whole here. */
function openLine(port: number, onIdle: (line: Line) => void): Promise<Line> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
    const line: Line = { socket, onAnswer: () => undefined };
    let missing = 0;
    socket.once('error', reject);
    socket.once('connect', () => resolve(line));
    socket.on('data', (chunk) => {
      if (missing === 0) missing = answerSize(chunk);
      missing -= chunk.length;
      if (missing > 0) return;
      missing = 0;
      line.onAnswer(performance.now());
      onIdle(line);
    });
  });
}

function answerSize(chunk: Buffer): number {
  const head = chunk.indexOf('\r\n\r\n') + 4;
  const length = /content-length: (\d+)/i.exec(chunk.toString('latin1', 0, head));
  return head + Number(length?.[1] ?? 0);
}
