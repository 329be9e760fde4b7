import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { PLUGINS } from './list.ts';

test('names are told apart, and no two plugins of a subsystem share a priority', () => {
  expect(new Set(PLUGINS.map(({ name }) => name)).size).toBe(PLUGINS.length);
  for (const subsystem of ['http', 'stream'] as const) {
    const own = PLUGINS.filter(({ subsystems }) => subsystems.includes(subsystem));
    expect(new Set(own.map(({ priority }) => priority)).size).toBe(own.length);
  }
});

test.each(PLUGINS)('$name has schemas that are schemas', (plugin) => {
  const { schema, consumerSchema = {}, metadataSchema = {} } = plugin;
  const ajv = new Ajv({ strict: false, useDefaults: true });
  for (const one of [schema, consumerSchema, metadataSchema]) {
    expect(ajv.validateSchema(one)).toBe(true);
  }
});
