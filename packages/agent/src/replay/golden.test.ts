import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { ExchangeRecord } from './exchange-record.ts';
import { type ReplaySummary, replayBytes, replayFile } from './replay.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..');
const captures = join(root, '../shared/conformance/pcaps');
if (!existsSync(captures)) {
  throw new Error(`the conformance captures are missing: expected the folder ${captures}`);
}

async function replayed(path: string): Promise<{
  records: ExchangeRecord[];
  summary: ReplaySummary;
}> {
  const records: ExchangeRecord[] = [];
  const summary = await replayFile(path, { onExchange: (record) => records.push(record) });
  return { records, summary };
}

/** What a `.result` line, a value printed by Rust's `{:?}`, says about one message. */
function expectedMessages(name: string): Record<string, unknown>[] {
  const text = readFileSync(join(captures, 'http', `${name}.result`), 'utf8');
  const messages: Record<string, unknown>[] = [];
  for (const line of text.split('\n')) {
    const isRequest = line.includes('msg_type: Request');
    if (!isRequest && !line.includes('msg_type: Response')) continue;
    messages.push(
      isRequest
        ? {
            method: /method: (\w+)/.exec(line)?.[1]?.toUpperCase(),
            path: /path: "([^"]*)"/.exec(line)?.[1],
            host: /host: "([^"]*)"/.exec(line)?.[1],
            endpoint: /endpoint: Some\("([^"]*)"\)/.exec(line)?.[1] ?? '',
            trace_id: field(line, 'trace_ids: PrioFields\\(\\[PrioField'),
            span_id: field(line, 'span_id: PrioField'),
            client_ip: field(line, 'client_ip: Some\\(PrioField'),
            x_request_id_0: field(line, 'x_request_id_0: PrioField'),
            request_length: numberField(line, 'req_content_length'),
          }
        : {
            status: numberField(line, 'status_code'),
            x_request_id_1: field(line, 'x_request_id_1: PrioField'),
          },
    );
  }
  return messages;
}

function field(line: string, before: string): string {
  return new RegExp(`${before} \\{ prio: \\d+, field: "([^"]*)"`).exec(line)?.[1] ?? '';
}

function numberField(line: string, name: string): number | undefined {
  const digits = new RegExp(`${name}: Some\\((\\d+)\\)`).exec(line)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function messagesOf(record: ExchangeRecord): Record<string, unknown>[] {
  const { method, path, host, endpoint, trace_id, span_id, client_ip } = record;
  const { x_request_id_0, x_request_id_1, request_length, status } = record;
  const messages: Record<string, unknown>[] = [];
  if (record.type !== 'response') {
    const ids = { trace_id, span_id, client_ip, x_request_id_0, request_length };
    messages.push({ method, path, host, endpoint, ...ids });
  }
  if (record.type !== 'request') messages.push({ status, x_request_id_1 });
  return messages;
}

describe('HTTP/1 captures', () => {
  test.each(['httpv1', 'client-ip', 'sw8', 'istio-tcp-frag'])(
    '%s gives the messages that its result file lists',
    async (name) => {
      const { records } = await replayed(join(captures, 'http', `${name}.pcap`));
      expect(withoutExtraIds(records.flatMap(messagesOf), name)).toEqual(expectedMessages(name));
    },
  );
});

/** What a line of a Redis `.result` says: of a command, or of a reply. */
function redisMessages(name: string): Record<string, string | undefined>[] {
  const text = readFileSync(join(captures, 'redis', `${name}.result`), 'utf8');
  return text.split('\n').flatMap((line): Record<string, string | undefined>[] => {
    const said = (key: string): string => new RegExp(`${key}: "([^"]*)"`).exec(line)?.[1] ?? '';
    if (!line.startsWith('RedisInfo')) return [];
    const type = /response_result: (\w+)/.exec(line)?.[1];
    if (type !== 'Unknown') return [{ type, error: said('error') }];
    return [{ command: said('request_type'), statement: said('request') }];
  });
}

describe('Redis captures', () => {
  test.each(['redis-debug', 'redis-error'])(
    '%s gives the messages that its result file lists',
    async (name) => {
      const { records } = await replayed(join(captures, 'redis', `${name}.pcap`));
      const messages = records.flatMap(({ type, method, path, result, reason }) => [
        ...(type === 'response' ? [] : [{ command: method, statement: path }]),
        ...(type === 'request' ? [] : [{ type: result, error: reason }]),
      ]);
      expect(messages).toEqual(redisMessages(name));
      expect(new Set(records.map(({ protocol }) => protocol))).toEqual(new Set(['redis']));
    },
  );
});

interface PostgresqlLine {
  readonly msg_type: string;
  readonly request_type?: string;
  readonly request_resource?: string;
  readonly sql_affected_rows?: number;
  readonly status: string;
}

/** Enough for the statements of the captures. */
function withoutLiterals(sql: string): string {
  const shown = sql.replace(/'[^']*'/g, '?').replace(/(?<![\w$."])\d+/g, '?');
  return shown.replace(/\s+/g, ' ').trim().slice(0, 1024);
}

function affectedRows(result: string): number {
  return Number(/(\d+)$/.exec(result)?.[1] ?? 0);
}

describe('PostgreSQL captures', () => {
  /**
   * Each result line describes one packet: of a request its tag and its SQL, with the literals that we
   * do not keep; of an answer how many rows it affected.
   */
  test('pgsql-all gives the requests and answers that its result file lists', async () => {
    const text = readFileSync(join(captures, 'postgre/pgsql-all.result'), 'utf8');
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line.slice(0, line.lastIndexOf('}') + 1)) as PostgresqlLine);
    const { records: all } = await replayed(join(captures, 'postgre/pgsql-all.pcap'));
    // What fills several packets is listed as `Other`, or not at all.
    const records = all.filter(({ path }) => path.length < 1024);
    expect(all.length - records.length).toBe(2);
    const asked = lines.flatMap((line, at) => {
      if (line.msg_type !== 'Request') return [];
      const next = lines[at + 1];
      return [{ ...line, answer: next?.msg_type === 'Response' ? next : undefined }];
    });
    expect(asked.length).toBeGreaterThan(20);
    const said = records.map(({ method, path, outcome, result }, at) => {
      const isListed = asked[at]?.answer !== undefined;
      return [method, path, ...(isListed ? [outcome, affectedRows(result)] : [])];
    });
    expect(said).toEqual(
      asked.map(({ request_type, request_resource = '', answer }) => [
        request_type,
        withoutLiterals(request_resource),
        ...(answer === undefined ? [] : ['success', answer.sql_affected_rows ?? 0]),
      ]),
    );
    expect(new Set(lines.map(({ status }) => status))).toEqual(new Set(['ok', 'unknown']));
  });
});

/**
 * The result files were made with only traceparent and sw8 switched on: where they have no id we
 * may have one, of another format.
 */
function withoutExtraIds(
  messages: Record<string, unknown>[],
  name: string,
): Record<string, unknown>[] {
  const expected = expectedMessages(name);
  return messages.map((message, i) =>
    Object.fromEntries(
      Object.entries(message).map(([key, value]) => {
        const isId = key.endsWith('_id') || key.startsWith('x_request_id');
        return [key, isId && expected[i]?.[key] === '' ? '' : value];
      }),
    ),
  );
}

function pcapsBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return pcapsBelow(path);
    return /\.(pcap|pcapng|cap)$/.test(name) ? [path] : [];
  });
}

describe('every capture', () => {
  const all = pcapsBelow(captures);

  test('there are captures to read', () => {
    expect(all.length).toBeGreaterThan(50);
  });

  test.each(all.map((path) => relative(captures, path)))(
    '%s is read to its end without an error',
    async (name) => {
      const { summary } = await replayed(join(captures, name));
      expect(summary.error).toBeUndefined();
      expect(summary.packets).toBeGreaterThan(0);
    },
  );

  test('cut or damaged anywhere, a file answers an error and what came before it', () => {
    const bytes = new Uint8Array(readFileSync(join(captures, 'http/sw8.pcap')));
    for (let at = 0; at < bytes.length; at += 97) {
      const cut = replayBytes(bytes.subarray(0, at), { onExchange: () => undefined });
      expect([undefined, 'not-a-capture', 'truncated']).toContain(cut.error?.code);
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      expect(() => replayBytes(damaged, { onExchange: () => undefined })).not.toThrow();
    }
  });
});
