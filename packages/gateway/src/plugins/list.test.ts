import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { PLUGINS } from './list.ts';

test('names are told apart, and no two plugins share a priority', () => {
  expect(new Set(PLUGINS.map(({ name }) => name)).size).toBe(PLUGINS.length);
  expect(new Set(PLUGINS.map(({ priority }) => priority)).size).toBe(PLUGINS.length);
});

test.each(PLUGINS)('$name has schemas that are schemas', (plugin) => {
  const { schema, consumerSchema = {}, metadataSchema = {} } = plugin;
  const ajv = new Ajv({ strict: false, useDefaults: true });
  for (const one of [schema, consumerSchema, metadataSchema]) {
    expect(ajv.validateSchema(one)).toBe(true);
  }
});
