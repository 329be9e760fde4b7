import type { RequestContext } from '../../core/request-context.ts';
import { resolveTemplate } from '../../core/template.ts';
import type { Outcome } from '../plugin.ts';
import { definePlugin } from '../plugin.ts';
import { wait } from './wait.ts';

interface MockSchema {
  readonly type?: string;
  readonly example?: unknown;
  readonly properties?: Readonly<Record<string, MockSchema>>;
  readonly items?: MockSchema;
}

interface Mocking {
  readonly delay: number;
  readonly response_status: number;
  readonly content_type: string;
  readonly response_example?: string;
  readonly response_schema?: MockSchema;
  readonly with_mock_header: boolean;
  readonly response_headers?: Readonly<Record<string, string | number>>;
}

const DEPTH_MAX = 32;

/** Answers with an example, or with data made up by a schema; no upstream is asked. */
export const mocking = definePlugin<Mocking>({
  name: 'mocking',
  priority: 10900,
  summary: 'Answers with an example or made-up data, without an upstream.',
  schema: {
    type: 'object',
    properties: {
      delay: { type: 'integer', default: 0 },
      response_status: { type: 'integer', minimum: 100, default: 200 },
      content_type: { type: 'string', default: 'application/json;charset=utf8' },
      response_example: { type: 'string' },
      response_schema: { type: 'object' },
      with_mock_header: { type: 'boolean', default: true },
      response_headers: {
        type: 'object',
        minProperties: 1,
        additionalProperties: { anyOf: [{ type: 'string' }, { type: 'number' }] },
      },
    },
    anyOf: [{ required: ['response_example'] }, { required: ['response_schema'] }],
  },
  check({ content_type }) {
    const type = content_type.split(';')[0]?.trim() ?? '';
    if (KNOWN_TYPES.has(type)) return undefined;
    return 'unsupported content type!';
  },
  create(conf, { facts }) {
    const answer = (context: RequestContext): Outcome => {
      const given = Object.entries(conf.response_headers ?? {}).map(([name, value]) => [
        name,
        resolveTemplate(context, String(value)).text,
      ]);
      const mark = conf.with_mock_header ? { 'x-mock-by': `APISIX/${facts.version}` } : {};
      const body =
        conf.response_example === undefined
          ? JSON.stringify(made(conf.response_schema ?? {}, 0))
          : resolveTemplate(context, conf.response_example).text;
      return {
        status: conf.response_status,
        headers: { 'Content-Type': conf.content_type, ...mark, ...Object.fromEntries(given) },
        body,
      };
    };
    return {
      access(context) {
        if (conf.delay <= 0) return answer(context);
        return wait(conf.delay * 1_000).then(() => answer(context));
      },
    };
  },
});

const KNOWN_TYPES: ReadonlySet<string> = new Set([
  'application/xml',
  'application/json',
  'text/plain',
  'text/html',
  'text/xml',
]);

/** The example, or a value of the type. */
function made({ type, example, properties, items }: MockSchema, depth: number): unknown {
  if (example !== undefined) return example;
  if (depth > DEPTH_MAX) return null;
  switch (type) {
    case 'string':
      return Math.random().toString(36).slice(2, 12);
    case 'integer':
      return Math.floor(Math.random() * 10_000);
    case 'number':
      return Math.round(Math.random() * 1_000_000) / 100;
    case 'boolean':
      return Math.random() < 0.5;
    case 'array':
      return items === undefined ? [] : [made(items, depth + 1)];
    case 'object':
      return Object.fromEntries(
        Object.entries(properties ?? {}).map(([name, inner]) => [name, made(inner, depth + 1)]),
      );
    default:
      return null;
  }
}
