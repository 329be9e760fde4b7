import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseInput } from './respond.ts';
import type { Services } from './services.ts';
import { untilGone } from './until-gone.ts';

export type RouteMethod = 'GET' | 'PUT';

interface RouteInput<Query, Body> {
  readonly query: Query;
  readonly body: Body;
  readonly id: string;
}

/** A route as data: the server answers it and the OpenAPI page lists it. */
export interface Route {
  readonly method: RouteMethod;
  readonly path: string;
  readonly doc: string;
  readonly query: z.ZodType | undefined;
  readonly body: z.ZodType | undefined;
  readonly answer: z.ZodType;
  readonly handle: (input: RouteInput<unknown, unknown>, services: Services) => Promise<unknown>;
}

export function defineRoute<
  Query extends z.ZodType,
  Body extends z.ZodType,
  Answer extends z.ZodType,
>(route: {
  /** GET unless it is said. */
  method?: RouteMethod;
  path: string;
  doc: string;
  query?: Query;
  body?: Body;
  answer: Answer;
  handle: (
    input: RouteInput<z.infer<Query>, z.infer<Body>>,
    services: Services,
  ) => Promise<z.infer<Answer>>;
}): Route {
  const { method = 'GET', query, body, handle } = route;
  return {
    ...route,
    method,
    query,
    body,
    handle: ({ id, ...given }, services) => {
      const parsedQuery = query === undefined ? undefined : parseInput(query, given.query);
      const parsedBody = body === undefined ? undefined : parseInput(body, given.body);
      return handle(
        // Parsed by those schemas.
        { query: parsedQuery as z.infer<Query>, body: parsedBody as z.infer<Body>, id },
        services,
      );
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
    app.route({
      method: route.method,
      url: route.path,
      handler: (request, reply) => {
        const { query, body } = request;
        const { id } = parseInput(Params, request.params);
        const store = untilGone(services.store, reply);
        return route.handle({ query, body, id }, { ...services, store });
      },
    });
  }
}

/** OpenAPI 3.1 of the routes; their schemas are JSON Schema as zod gives it. */
export function openApi(routes: readonly Route[], version: string, error: z.ZodType): object {
  const content = (schema: z.ZodType, io: 'input' | 'output'): object => ({
    'application/json': { schema: z.toJSONSchema(schema, { io, unrepresentable: 'any' }) },
  });
  const paths: Record<string, Record<string, object>> = {};
  for (const { method, path, doc, query, body, answer } of routes) {
    const key = path.replace(/:(\w+)/g, '{$1}');
    const operation = {
      summary: doc,
      parameters: [...pathParameters(path), ...(query === undefined ? [] : queryParameters(query))],
      ...(body === undefined
        ? {}
        : { requestBody: { required: true, content: content(body, 'input') } }),
      responses: {
        200: { description: 'The answer.', content: content(answer, 'output') },
        default: { description: 'What went wrong.', content: content(error, 'output') },
      },
    };
    paths[key] = { ...paths[key], [method.toLowerCase()]: operation };
  }
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
