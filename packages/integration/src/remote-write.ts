import type { MetricsWritten } from './metric-writer.ts';
import type { RemoteWriter, RemoteWriteVersion } from './remote-writer.ts';

/** Where Prometheus and those that write like it post to. */
export const REMOTE_WRITE_PATHS = [
  '/api/v1/write',
  '/api/v1/prometheus',
  '/api/v1/prom/write',
  '/api/v1/push',
] as const;

export interface RemoteWriteRequest {
  /** Values of the headers of these names; '' where there is none. */
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly body: Uint8Array;
}

/** `text` is for people: Prometheus logs it. */
export interface RemoteWriteAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Samples, histograms and exemplars that were kept, and what was left out. */
  readonly rows: number;
  readonly rejected: number;
}

/**
 * Answers remote write 1.0 and 2.0. Statuses are what Prometheus's queue acts on: 204 when all is on
 * disk; 400 when some or all is bad, which is not sent again (the good part is kept); 415 for
 * another version or coding; 503 with Retry-After when it should come back.
 * Source: Prometheus, "Remote-Write 1.0" and "2.0" specifications.
 */
export function createRemoteWrite(
  writer: RemoteWriter,
): (request: RemoteWriteRequest) => Promise<RemoteWriteAnswer> {
  return async ({ contentType, contentEncoding, body }) => {
    const version = versionOf(contentType);
    if (version === undefined) return refusal(415, `cannot read a body of type ${contentType}`);
    if (contentEncoding !== '' && contentEncoding.toLowerCase() !== 'snappy') {
      return refusal(415, `cannot read a body coded with ${contentEncoding}: send snappy`);
    }
    const written = await writer.write(body, version);
    if (written.status === 'unreadable') {
      const { code, message } = written;
      return refusal(code === 'snappy_too_large' ? 413 : 400, `snappy: ${message}`);
    }
    return answerOf(written, version);
  };
}

/** Undefined: not one that we read. Without parameters it is 1.0, and so is no type at all. */
function versionOf(contentType: string): RemoteWriteVersion | undefined {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  if (!['', 'application/x-protobuf', 'application/octet-stream'].includes(type.trim())) {
    return undefined;
  }
  const message = parameters
    .map((parameter) => /^\s*proto\s*=\s*"?([\w.]+)"?\s*$/.exec(parameter)?.[1])
    .find((name) => name !== undefined);
  if (message === undefined || message === 'prometheus.writerequest') return '1.0';
  return message === 'io.prometheus.write.v2.request' ? '2.0' : undefined;
}

function answerOf(written: MetricsWritten, version: RemoteWriteVersion): RemoteWriteAnswer {
  switch (written.status) {
    case 'kept': {
      const headers = version === '2.0' ? writtenHeaders(written) : {};
      const { refused: rejected, firstRefusal } = written;
      const rows = written.samples + written.histograms + written.exemplars;
      if (firstRefusal === undefined) return { status: 204, headers, text: '', rows, rejected };
      const { code, message } = firstRefusal;
      const text = `${rejected} left out, the rest is kept; the first: ${code}: ${message}\n`;
      return { status: 400, headers, text, rows, rejected };
    }
    case 'malformed':
      return refusal(400, written.message);
    case 'refused':
      return refusal(400, `${written.code}: ${written.message}`);
    case 'busy':
      return {
        status: 503,
        headers: { 'retry-after': String(written.retryAfterS) },
        text: 'the spool is full or the store is behind\n',
        rows: 0,
        rejected: 0,
      };
  }
}

function writtenHeaders(counts: {
  readonly samples: number;
  readonly histograms: number;
  readonly exemplars: number;
}): Record<string, string> {
  return {
    'x-prometheus-remote-write-samples-written': String(counts.samples),
    'x-prometheus-remote-write-histograms-written': String(counts.histograms),
    'x-prometheus-remote-write-exemplars-written': String(counts.exemplars),
  };
}

function refusal(status: number, reason: string): RemoteWriteAnswer {
  return { status, headers: {}, text: `${reason}\n`, rows: 0, rejected: 0 };
}
