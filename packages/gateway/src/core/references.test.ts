import { expect, test } from 'vitest';
import { environmentReader, referencesIn, resolvedConf } from './references.ts';

const environment = { KEY: 'secret', OBJECT: '{"a":"inner","n":1}', EMPTY: '' };

test.each([
  { name: 'a variable', given: '$env://KEY', wanted: 'secret' },
  { name: 'in capitals', given: '$ENV://KEY', wanted: 'secret' },
  { name: 'an empty one', given: '$env://EMPTY', wanted: '' },
  { name: 'a member of JSON', given: '$env://OBJECT/a', wanted: 'inner' },
  { name: 'a member that is no text', given: '$env://OBJECT/n', wanted: '$env://OBJECT/n' },
  { name: 'a member of no JSON', given: '$env://KEY/a', wanted: '$env://KEY/a' },
  { name: 'a variable that is not set', given: '$env://NO', wanted: '$env://NO' },
  { name: 'within a text', given: 'x $env://KEY', wanted: 'x $env://KEY' },
])('$name is resolved at any depth, or stays', ({ given, wanted }) => {
  const conf = { key: given, list: [{ deep: given }], count: 1 };
  expect(resolvedConf(conf, environmentReader(environment))).toEqual({
    key: wanted,
    list: [{ deep: wanted }],
    count: 1,
  });
});

test('references are found at any depth', () => {
  const value = { a: '$env://A', b: [{ c: '$secret://vault/1/b/c' }], d: 'no $env://D' };
  expect(referencesIn(value)).toEqual(['$env://A', '$secret://vault/1/b/c']);
});
