import { ApiErrorBody } from '@thalweg/model';

/** The server refused, or could not be understood or reached. `code` is stable. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly code: string;
  readonly fix: string | undefined;
  readonly status: number;

  constructor(
    message: string,
    detail: { code: string; status: number; fix?: string | undefined; cause?: unknown },
  ) {
    super(message, { cause: detail.cause });
    this.code = detail.code;
    this.fix = detail.fix;
    this.status = detail.status;
  }
}

export type Parameters = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** The address of a question: lists are joined by commas, what is empty is left out. */
export function apiPath(path: string, parameters: Parameters): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === '') continue;
    const text = typeof value === 'object' ? value.join(',') : String(value);
    if (text !== '') search.set(name, text);
  }
  const query = search.toString();
  return query === '' ? path : `${path}?${query}`;
}

/** As much of a zod schema as is needed here. */
export interface Schema<T> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: Error };
}

/** Asks and checks the answer against its schema. Throws `ApiFailure`. */
export async function getJson<T>(schema: Schema<T>, path: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(path, { signal, headers: { accept: 'application/json' } }).catch(
    (cause: unknown) => {
      if (signal.aborted) throw cause;
      throw new ApiFailure('the server cannot be reached', {
        code: 'unreachable',
        status: 0,
        fix: 'see that `thalweg server` or `make demo` is running',
        cause,
      });
    },
  );
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw refusal(response.status, body);
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new ApiFailure(`the answer of ${path.split('?')[0]} has an unknown shape`, {
    code: 'unknown-shape',
    status: response.status,
    fix: 'reload the page: it may be older than the server',
    cause: parsed.error,
  });
}

function refusal(status: number, body: unknown): ApiFailure {
  const parsed = ApiErrorBody.safeParse(body);
  if (!parsed.success) {
    return new ApiFailure(`the server answered with status ${status}`, { code: 'http', status });
  }
  const { code, message, fix } = parsed.data.error;
  return new ApiFailure(message, { code, status, fix });
}
