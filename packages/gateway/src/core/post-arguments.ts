import { decodeMultipart, multipartBoundary } from '@thalweg/wire';
import { isPlural, parseJsonPath, valuesAt } from './json-path.ts';
import type { RequestContext } from './request-context.ts';

/** A body that routes are matched by is read up to this size, as APISIX's default has it. */
export const POST_BYTES_MAX = 64 << 20;

/** `post_arg` paths must be readable; any other name is a name. */
export function isVariableName(name: string): boolean {
  return (
    !name.startsWith('post_arg.') || parseJsonPath(name.slice('post_arg.'.length)) !== undefined
  );
}

/** Whether an expression reads the body. */
export function readsBody(expression: unknown): boolean {
  if (typeof expression === 'string') return /^post_arg[._]/.test(expression);
  return Array.isArray(expression) && expression.some((inner) => readsBody(inner));
}

/** Whether there is a body of a kind that `post_arg` can look into. */
export function hasArguments({ head }: RequestContext): boolean {
  return head.framing.kind !== 'none' && /json|urlencoded|multipart/i.test(typeOf(head.fields));
}

/**
 * What stands at `path` in the body: text of a scalar, or a list where the path has `[*]`. The body
 * must have been read. Undefined when it is nothing of the kind that Content-Type says.
 */
export function postArgument(
  context: Pick<RequestContext, 'head' | 'body'>,
  path: string,
): string | readonly string[] | undefined {
  const bytes = context.body.whole();
  if (bytes === undefined) return undefined;
  const type = typeOf(context.head.fields);
  if (/urlencoded/i.test(type)) return new URLSearchParams(bytes.toString()).get(path) ?? undefined;
  if (/multipart/i.test(type)) return multipartField(bytes, type, path);
  const steps = /json/i.test(type) ? parseJsonPath(path) : undefined;
  if (steps === undefined) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  const texts = valuesAt(document, steps)
    .filter((value) => value !== null && typeof value !== 'object')
    .map(String);
  return isPlural(steps) ? texts : texts[0];
}

/** A field of a form by name. Files are none: they have a name of their own. */
function multipartField(bytes: Buffer, type: string, name: string): string | undefined {
  const boundary = multipartBoundary(type);
  const form = boundary === undefined ? undefined : decodeMultipart(bytes, boundary);
  if (form?.kind !== 'decoded') return undefined;
  const part = form.value.find((one) => one.name === name && one.fileName === '');
  return part === undefined ? undefined : Buffer.from(part.bytes).toString();
}

function typeOf(fields: RequestContext['head']['fields']): string {
  return fields.get('content-type') ?? '';
}
