// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compilePattern, patternFault, withCaptures } from './pattern.ts';

function pattern(source: string, flags = '') {
  const made = compilePattern(source, flags);
  if (made.kind === 'invalid') throw new Error(made.reason);
  return made;
}

test.each([
  { source: '^/a', flags: '', text: '/abc', isFound: true },
  { source: 'ABC', flags: 'i', text: '/abc', isFound: true },
  { source: 'a.c', flags: '', text: 'a\nc', isFound: false },
  { source: 'a.c', flags: 'sjo', text: 'a\nc', isFound: true },
  { source: '^c$', flags: 'm', text: 'a\nc', isFound: true },
  { source: '(?:^|/)x\\d+', flags: '', text: '/a/x12', isFound: true },
])('$source with flags "$flags" on $text: $isFound', ({ source, flags, text, isFound }) => {
  expect(pattern(source, flags).test(text)).toBe(isFound);
  expect(pattern(source, flags).find(text) !== undefined).toBe(isFound);
});

test('a pattern that PCRE takes a lifetime for answers at once', () => {
  expect(pattern('^(a+)+$').test(`${'a'.repeat(50_000)}b`)).toBe(false);
});

test.each(['(?=a)b', '(a)\\1', 'a++', '(?>a)b'])('%s is refused as PCRE only', (source) => {
  expect(patternFault(['ok', source])).toMatch(/only PCRE has.*RE2/);
});

test.each(['(', 'a{2000}', 'x'.repeat(10_001)])('a mistake is told as one', (source) => {
  const fault = patternFault([source]);
  expect(fault).toMatch(/^invalid regular expression/);
  expect(fault).not.toMatch(/PCRE/);
});

test('the first match or each is replaced, empty matches too', () => {
  const by = () => '-';
  expect(pattern('a').replace('banana', 'first', by)).toBe('b-nana');
  expect(pattern('a').replace('banana', 'all', by)).toBe('b-n-n-');
  expect(pattern('x*').replace('ab', 'all', by)).toBe('-a-b-');
  expect(pattern('z').replace('ab', 'all', by)).toBe('ab');
});

test('templates take $1 and ${1}; what took no part is empty', () => {
  const captures = pattern('^/(a)|(b)').find('/a');
  if (captures === undefined) throw new Error('no match');
  expect(withCaptures('$1-${1}x-$2-$9-$', captures)).toBe('a-ax---$');
});

test('where both engines know the syntax they find the same', () => {
  const atom = fc.constantFrom('a', 'b', '.', '\\d', '[ab]', '(a|b)', '(?:ab)');
  const quantified = fc.tuple(atom, fc.constantFrom('', '*', '+', '?', '{1,2}'));
  const anchor = fc.constantFrom('^', '$', '').map((text) => [text]);
  const source = fc
    .array(fc.oneof(quantified, anchor), { maxLength: 6 })
    .map((parts) => parts.flat().join(''));
  const text = fc.stringMatching(/^[ab1]{0,12}$/);
  fc.assert(
    fc.property(source, text, (pieces, given) => {
      const made = compilePattern(pieces);
      if (made.kind === 'invalid') return;
      const native = new RegExp(pieces).exec(given);
      expect(made.find(given)?.groups[0]).toBe(native?.[0]);
    }),
    { seed: 20, numRuns: 500 },
  );
});
