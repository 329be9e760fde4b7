import {
  RetentionAnswer,
  type RetentionChange,
  TraceAnswer,
  TraceSearchAnswer,
  type TraceSummary,
} from '@thalweg/model';
import { z } from 'zod';
import { CliError } from './cli-error.ts';

const ANSWER_MS_MAX = 30_000;

const QueryAnswer = z.object({
  result: z.object({ columns: z.array(z.string()), values: z.array(z.array(z.unknown())) }),
});
export type QueryAnswer = z.infer<typeof QueryAnswer>['result'];
const ErrorAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), fix: z.string().optional() }),
});

/** The server's API, as far as commands need it. Errors are `CliError`. */
export interface ServerClient {
  query(sql: string): Promise<QueryAnswer>;
  /** All traces of a time range, the newest first, page by page. */
  allTraces(startUs: number, endUs: number): AsyncGenerator<TraceSummary>;
  trace(id: string): Promise<TraceAnswer>;
  retention(): Promise<RetentionAnswer>;
  /** Tables that are not named stay as they are. Answers what is in force then. */
  changeRetention(change: RetentionChange): Promise<RetentionAnswer>;
}

export function createServerClient(url: string, token: string | undefined): ServerClient {
  requireHttp(url);
  async function ask(path: string, init: RequestInit = {}): Promise<unknown> {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(new URL(path, url), {
      ...init,
      headers: { 'content-type': 'application/json', ...authorization },
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    }).catch((cause: unknown) => {
      const fix = 'start it with `thalweg up`, or give --url';
      throw new CliError('unavailable', `no server answers at ${url}`, fix, { cause });
    });
    const body: unknown = await answer.json().catch(() => undefined);
    if (answer.ok) return body;
    const told = ErrorAnswer.safeParse(body).data?.error;
    throw new CliError(
      answer.status >= 500 ? 'unavailable' : 'failed',
      told === undefined ? `the server answered ${answer.status}` : `${told.code}: ${told.message}`,
      told?.fix ?? 'look at the server’s log',
    );
  }

  return {
    query: async (sql) => {
      const body = JSON.stringify({ sql });
      return understood(QueryAnswer, await ask('/v1/query/', { method: 'POST', body })).result;
    },
    async *allTraces(startUs, endUs) {
      const range = `start=${Math.floor(startUs)}&end=${Math.ceil(endUs)}&limit=500`;
      for (let cursor = ''; ; ) {
        const after = cursor === '' ? '' : `&cursor=${cursor}`;
        const page = understood(TraceSearchAnswer, await ask(`/api/traces?${range}${after}`));
        yield* page.traces;
        if (page.cursor === undefined) return;
        cursor = page.cursor;
      }
    },
    retention: async () => understood(RetentionAnswer, await ask('/api/retention')),
    changeRetention: async (change) => {
      const init = { method: 'PUT', body: JSON.stringify(change) };
      return understood(RetentionAnswer, await ask('/api/retention', init));
    },
    trace: async (id) =>
      understood(TraceAnswer, await ask(`/api/traces/${encodeURIComponent(id)}`)),
  };

  function understood<T>(schema: z.ZodType<T>, body: unknown): T {
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    const fix = 'is the address right, and the server of the same version?';
    throw new CliError('unavailable', `what answers at ${url} is no Thalweg server`, fix);
  }
}

function requireHttp(url: string): void {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return;
  throw new CliError(
    'usage',
    `"${url}" is no http address`,
    'give one like http://127.0.0.1:20416',
  );
}
