import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseInput } from './respond.ts';
import type { Services } from './services.ts';
import { untilGone } from './until-gone.ts';

/** A GET route as data: the server answers it and the OpenAPI page lists it. */
export interface Route {
  readonly path: string;
  readonly doc: string;
  readonly query: z.ZodType | undefined;
  readonly answer: z.ZodType;
  readonly handle: (input: { query: unknown; id: string }, services: Services) => Promise<unknown>;
}

export function defineRoute<Query extends z.ZodType, Answer extends z.ZodType>(route: {
  path: string;
  doc: string;
  query?: Query;
  answer: Answer;
  handle: (
    input: { query: z.infer<Query>; id: string },
    services: Services,
  ) => Promise<z.infer<Answer>>;
}): Route {
  const { query, handle } = route;
  return {
    ...route,
    query,
    handle: ({ query: given, id }, services) => {
      const parsed = query === undefined ? undefined : parseInput(query, given);
      return handle({ query: parsed as z.infer<Query>, id }, services); // Parsed by that schema.
    },
  };
}

const Params = z.object({ id: z.string().max(64).default('') });

export function addRoutes(
  app: FastifyInstance,
  routes: readonly Route[],
  services: Services,
): void {
  for (const route of routes) {
    app.get(route.path, (request, reply) => {
      const { id } = parseInput(Params, request.params);
      const store = untilGone(services.store, reply);
      return route.handle({ query: request.query, id }, { ...services, store });
    });
  }
}

/** OpenAPI 3.1 of the routes; their schemas are JSON Schema as zod gives it. */
export function openApi(routes: readonly Route[], version: string, error: z.ZodType): object {
  const content = (schema: z.ZodType): object => ({
    'application/json': {
      schema: z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }),
    },
  });
  const paths = Object.fromEntries(
    routes.map(({ path, doc, query, answer }) => [
      path.replace(/:(\w+)/g, '{$1}'),
      {
        get: {
          summary: doc,
          parameters: [
            ...pathParameters(path),
            ...(query === undefined ? [] : queryParameters(query)),
          ],
          responses: {
            200: { description: 'The answer.', content: content(answer) },
            default: { description: 'What went wrong.', content: content(error) },
          },
        },
      },
    ]),
  );
  return { openapi: '3.1.0', info: { title: 'Thalweg', version }, paths };
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: z.ZodType): object[] {
  const { properties = {}, required = [] } = z.toJSONSchema(query, {
    io: 'input',
    unrepresentable: 'any',
  });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}
