import { appendFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AccessLogConfig } from './config/config.ts';
import type { BatchBook } from './core/batch-book.ts';
import type { RequestContext } from './core/request-context.ts';
import { createLineFile } from './plugins/logging/line-file.ts';

/** A line a request in a file, whatever plugins there are. */
export interface AccessLog {
  write(context: RequestContext): void;
  close(): Promise<void>;
}

type Escape = 'default' | 'json' | 'none';

/** APISIX's own format: its users' parsers read it. */
const FORMAT =
  '$remote_addr - $remote_user [$time_local] $http_host "$request" $status $body_bytes_sent ' +
  '$request_time "$http_referer" "$http_user_agent" $upstream_addr $upstream_status ' +
  '$upstream_response_time "$upstream_scheme://$upstream_host$upstream_uri" "$apisix_request_id"';
/** APISIX's own for streams. */
export const STREAM_FORMAT =
  '$remote_addr [$time_local] $protocol $status $bytes_sent $bytes_received $session_time';
/** nginx's `flush=3s` of APISIX's template; a crash loses so much. */
const FLUSH_MS = 3_000;

/** Paths are taken from `folder`. Without `access_log` nothing is written. */
export function openAccessLog(
  config: AccessLogConfig,
  folder: string,
  parts: { readonly batches: BatchBook; now(): number; warn(message: string): void },
): AccessLog {
  const { access_log: given, access_log_format: format = FORMAT } = config;
  if (!config.enable_access_log || given === undefined) {
    return { write: () => undefined, close: async () => undefined };
  }
  const path = resolve(folder, given);
  const line = compileFormat(format, config.access_log_format_escape);
  const file = createLineFile(
    { name: 'access log', flushMs: FLUSH_MS },
    {
      book: parts.batches,
      now: parts.now,
      warn: (message) => parts.warn(`access log ${path}: ${message}`),
      append: (text) => appendFile(path, text),
    },
  );
  return {
    write(context) {
      file.push(line(context), context.route?.id ?? '', context.peer.localAddress);
    },
    close: () => file.close(),
  };
}

/** A format with `$name` and `${name}` as a function of the request. */
export function compileFormat(
  format: string,
  mode: Escape,
): (context: Pick<RequestContext, 'variable'>) => string {
  const pieces = format.split(/\$\{?(\w+)\}?/);
  const written = ESCAPES[mode];
  return (context) => {
    let text = '';
    // Texts and names of variables take turns.
    for (const [at, piece] of pieces.entries()) {
      text += at % 2 === 0 ? piece : written(context.variable(piece));
    }
    return text;
  };
}

/** Source: nginx, `log_format`, parameter `escape`. */
const ESCAPES: Readonly<Record<Escape, (value: string | undefined) => string>> = {
  default: (value) => {
    if (value === undefined || value === '') return '-';
    // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly what may not be in a line
    return value.replace(/["\\\x00-\x1f\x7f-\uffff]/g, (found) =>
      [...Buffer.from(found, found > '\xff' ? 'utf8' : 'latin1')]
        .map((octet) => `\\x${octet.toString(16).toUpperCase().padStart(2, '0')}`)
        .join(''),
    );
  },
  json: (value) => JSON.stringify(value ?? '').slice(1, -1),
  none: (value) => value ?? '',
};
