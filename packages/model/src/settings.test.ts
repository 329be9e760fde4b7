import { expect, test } from 'vitest';
import { z } from 'zod';
import { nearest, parseSettings } from './settings.ts';

const schema = z.object({
  port: z.coerce.number().int().min(1).max(65_535).default(20_416),
  data_dir: z.string().default('/var/lib/thalweg'),
});
const parse = (given: unknown, environment = {}) =>
  parseSettings(schema, { given, environment, prefix: 'T_' });

test('defaults fill what is not given, and the environment wins over the file', () => {
  expect(parse({ port: 1 }, { T_PORT: '2' })).toEqual({
    kind: 'valid',
    settings: { port: 2, data_dir: '/var/lib/thalweg' },
  });
});

test('all mistakes are named at once, with the key that was probably meant', () => {
  const result = parse({ port: 'x', datadir: '/d' }, { T_PROT: '3' });
  expect(result).toMatchObject({ kind: 'invalid' });
  const text = result.kind === 'invalid' ? result.mistakes.join('\n') : '';
  expect(text).toContain('unknown key "datadir"; did you mean "data_dir"?');
  expect(text).toContain('environment T_PROT: unknown key "prot"; did you mean "port"?');
  expect(text).toContain('port: ');
});

test('a configuration that is no map says so', () => {
  expect(parse([1])).toMatchObject({ kind: 'invalid' });
});

test('nothing near is better than a wild guess', () => {
  expect(nearest('zzzzzz', ['port', 'data_dir'])).toBeUndefined();
});
