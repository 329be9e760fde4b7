import { definePlugin } from './plugin.ts';

interface ExamplePlugin {
  readonly i: number;
  readonly s?: string;
  readonly t?: readonly unknown[];
  readonly ip?: string;
  readonly port?: number;
}

/** Shows how a plugin is written: copy this file, add a line to `list.ts`, run `npm run gen`. */
export const examplePlugin = definePlugin<ExamplePlugin>({
  name: 'example-plugin',
  priority: 0,
  summary: 'Shows how a plugin is written; sends requests to one given node.',
  example: { i: 1, ip: '127.0.0.1', port: 8080 },
  notes: ['To write one: copy `packages/gateway/src/plugins/example-plugin.ts`.'],
  schema: {
    type: 'object',
    properties: {
      i: { type: 'number', minimum: 0 },
      s: { type: 'string' },
      t: { type: 'array', minItems: 1 },
      ip: { type: 'string' },
      port: { type: 'integer' },
    },
    required: ['i'],
  },
  metadataSchema: {
    type: 'object',
    properties: { ikey: { type: 'number', minimum: 0 }, skey: { type: 'string' } },
    required: ['ikey', 'skey'],
  },
  create({ ip, port }, environment) {
    if (ip === undefined || port === undefined) return {};
    const nodes = [{ host: ip, port, weight: 1 }];
    return {
      access(context) {
        context.upstream = environment.upstream({ nodes });
        return undefined;
      },
    };
  },
});
