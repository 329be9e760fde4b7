import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printExpression } from '../print/format.ts';
import { formatPromql, type ParseResult, parsePromql } from '../promql.ts';
import type { Expression } from './ast.ts';

const SEED = { seed: 20_416 };

const printed = (result: ParseResult): string =>
  result.kind === 'expression' ? printExpression(result.expression) : result.error.message;
const parse = (text: string): string => printed(parsePromql(text, { isExperimental: true }));

test.each([
  ['1 + 2 * 3 ^ 2 ^ -1', '1 + 2 * 3 ^ 2 ^ -1'],
  ['0x1F + 1_000 + 010 + .5 + 2. + 1e6', '31 + 1000 + 8 + 0.5 + 2 + 1e+06'],
  ['-Inf + nAn', '-Inf + NaN'],
  ['1m30s * 90m', '1m30s * 1h30m'],
  ['up{job=~"a|b",x!=\'y\',z=`\\d`,}', 'up{job=~"a|b",x!="y",z="\\\\d"}'],
  ['{"my.metric", "a.b"="c"}', '{"my.metric","a.b"="c"}'],
  ['{"up"}', 'up'],
  ['foo[90s] @ 1.5 offset -5m', 'foo[1m30s] @ 1.500 offset -5m'],
  ['foo offset 300 @ end()', 'foo @ end() offset 5m'],
  ['rate(foo[300])[1h:] @ start()', 'rate(foo[5m])[1h:] @ start()'],
  ['SUM(x) BY (le, "a.b", on)', 'sum by (le, "a.b", on) (x)'],
  ['sum without (a,) (x)', 'sum without (a) (x)'],
  ['topk(3, x)', 'topk(3, x)'],
  ['a * on (x) group_left (y) b', 'a * on (x) group_left (y) b'],
  ['a / ignoring (x) group_right b', 'a / ignoring (x) group_right () b'],
  ['a == bool 1', 'a == bool 1'],
  ['a and on () b', 'a and on () b'],
  ['a + fill (0) b', 'a + fill (0) b'],
  ['sum + by{on="x"} + offset', 'sum + by{on="x"} + offset'],
  ['start + end offset 1m', 'start + end offset 1m'],
  ['"\\x41\\u00e9\\101" # a comment', '"AéA"'],
  ['x atan2 y', 'x atan2 y'],
  ['a:b:c{}', 'a:b:c'],
])('reads %s', (text, expected) => {
  expect(parse(text)).toBe(expected);
});

test.each([
  ['', '1:1: parse error: no expression found in input'],
  ['1 +', '1:4: parse error: unexpected end of input'],
  ['foo{', '1:5: parse error: unexpected end of input inside braces'],
  ['foo{a', '1:6: parse error: unexpected end of input inside braces'],
  [
    'foo{a}',
    '1:6: parse error: unexpected "}" in label matching, expected label matching operator',
  ],
  ['foo{a=b}', '1:7: parse error: unexpected identifier "b" in label matching, expected string'],
  [
    'foo{a="b" c}',
    '1:11: parse error: unexpected identifier "c" in label matching, expected "," or "}"',
  ],
  ['{}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['{a=~".*"}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['foo)', "1:4: parse error: unexpected right parenthesis ')'"],
  ['(foo', '1:5: parse error: unclosed left parenthesis'],
  ['foo[5m', '1:7: parse error: unclosed left bracket'],
  ['1 1', '1:3: parse error: unexpected number "1"'],
  ['a b', '1:3: parse error: unexpected identifier "b"'],
  ['*1', '1:1: parse error: unexpected <op:*>'],
  ['sum by x (y)', '1:8: parse error: unexpected identifier "x" in grouping opts, expected "("'],
  ['1.2.3', '1:1: parse error: bad number or duration syntax: "1.2.3"'],
  [
    'foo[5m] + 1',
    '1:1: parse error: binary expression must contain only scalar and instant vector types',
  ],
  ['1 == 1', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
  ['a + bool b', '1:3: parse error: bool modifier can only be used on comparison operators'],
  ['1 and 1', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
  ['a and on (x) group_left b', '1:1: parse error: no grouping allowed for "and" operation'],
  [
    'rate(foo)',
    '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
  ],
  ['nope(1)', '1:1: parse error: unknown function with name "nope"'],
  ['clamp(x)', '1:1: parse error: expected 3 argument(s) in call to "clamp", got 1'],
  [
    'topk(x)',
    '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1',
  ],
  ['foo[0s]', '1:5: parse error: duration must be greater than 0'],
  ['foo offset 1m offset 2m', '1:1: parse error: offset may not be set multiple times'],
  ['(1)[5m:]', '1:1: parse error: subquery is only allowed on instant vector, got scalar instead'],
  ['foo{a=~"("}', '1:1: parse error: error parsing regexp: missing closing ): `^(?s:()$`'],
  ['a\n+ $', "2:3: parse error: unexpected character: '$'"],
])('refuses %j in the words of Prometheus', (text, message) => {
  expect(parse(text)).toBe(message);
});

test.each(['limitk(1, x)', 'mad_over_time(x[1m])', 'x + fill (1) y'])(
  'takes %s only behind the experimental switch',
  (text) => {
    const result = parsePromql(text);
    expect(result.kind === 'invalid' && result.error.isExperimental).toBe(true);
    expect(parsePromql(text, { isExperimental: true }).kind).toBe('expression');
  },
);

test.each([
  { name: 'parentheses', text: '('.repeat(50_000) },
  { name: 'signs', text: `${'-'.repeat(5_000)}1` },
  { name: 'powers', text: `1${' ^ 1'.repeat(5_000)}` },
  { name: 'a chain', text: `1${' + 1'.repeat(5_000)}` },
  { name: 'tokens', text: 'a '.repeat(30_000) },
  { name: 'characters', text: ' '.repeat(200_000) },
])('bounds $name', ({ text }) => {
  expect(parsePromql(text).kind).toBe('invalid');
});

test('a long query is split over lines and reads back the same', () => {
  const text = `sum by (route) (rate(${'x'.repeat(60)}{a="b"}[5m])) / on (route) group_left () sum by (route) (y)`;
  const result = parsePromql(text);
  const formatted = result.kind === 'expression' ? formatPromql(result.expression) : '';
  expect(formatted.split('\n').length).toBeGreaterThan(2);
  expect(parse(formatted)).toBe(parse(text));
});

test('never throws on arbitrary text', () => {
  const words = fc.constantFrom(
    ...'sum by ( ) { } [ ] : , = =~ != "x" \'y\' `z` 1 5m .5 0x1 foo rate offset @ - + ^ and on'.split(
      ' ',
    ),
    'start()',
    '"\\xff"',
    '\\',
    '\u{1f600}',
    '\ud800',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(words).map((list) => list.join(' ')),
  );
  fc.assert(
    fc.property(text, (query) => {
      const result = parsePromql(query, { isExperimental: true });
      if (result.kind === 'invalid')
        expect(result.error.message).toMatch(/^\d+:\d+: parse error: ./);
    }),
    { ...SEED, numRuns: 2_000 },
  );
});

const name = fc.constantFrom('foo', 'a:b', 'sum', 'on', 'my.metric', 'é');
const number = fc
  .oneof(fc.integer(), fc.double({ noNaN: true }))
  .map(Math.abs)
  .map(String);
const { expression } = fc.letrec<{ expression: string; vector: string }>((tie) => ({
  vector: fc.oneof(
    { maxDepth: 3 },
    name.map((metric) => `{${JSON.stringify(metric)},x!~"a.*"}`),
    fc.tuple(tie('vector'), tie('vector')).map(([a, b]) => `(${a}) * on (x) group_left (y) (${b})`),
    tie('vector').map((v) => `sum by (a, "b.c") (${v})`),
    tie('vector').map((v) => `max_over_time((${v})[5m:1m] @ 12.5 offset -1h)`),
    tie('vector').map((v) => `-(${v})`),
  ),
  expression: fc.oneof(
    { maxDepth: 4 },
    number,
    tie('vector'),
    fc
      .tuple(tie('expression'), fc.constantFrom('+', '^', '/', 'atan2'), tie('expression'))
      .map(([a, operator, b]) => `${a} ${operator} ${b}`),
  ),
}));

test('what is printed reads back as the same expression', () => {
  const tree = (text: string): Expression | string => {
    const result = parsePromql(text);
    return result.kind === 'expression' ? stripRanges(result.expression) : result.error.message;
  };
  fc.assert(
    fc.property(expression, (text) => {
      const result = parsePromql(text);
      if (result.kind === 'invalid') throw new Error(`${text}: ${result.error.message}`);
      expect(tree(formatPromql(result.expression))).toEqual(tree(text));
    }),
    SEED,
  );
});

function stripRanges(node: Expression): Expression {
  return JSON.parse(JSON.stringify(node, (key, value) => (key === 'range' ? undefined : value)));
}
