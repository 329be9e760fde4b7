import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TemplateError } from './lua-tokens.ts';
import { LuaReader } from './lua-values.ts';
import { compileTemplate } from './template.ts';

const BODY = {
  name: 'hello',
  age: 20,
  none: null,
  tags: ['a', 'b'],
  nested: { list: [{ v: 1 }, { v: 2 }] },
  html: `<a href='/x'>"&`,
};
const EXTRAS = new Map<string, unknown>([
  ['_body', 'raw text'],
  ['context', BODY],
  ['_ctx', { var: new LuaReader((name) => (name === 'uri' ? '/u' : undefined)) }],
]);

function render(template: string): string {
  return compileTemplate(template).render(BODY, EXTRAS, 10_000);
}

test.each([
  {
    template: '{"foo":"{{name .. " world"}}","bar":{{age+10}}}',
    want: '{"foo":"hello world","bar":30}',
  },
  { template: '{{html}}', want: '&lt;a href=&#39;&#47;x&#39;&gt;&quot;&amp;' },
  { template: '{*html*}', want: `<a href='/x'>"&` },
  { template: '{*_escape_json(html)*}', want: `"<a href='/x'>\\"&"` },
  { template: '{*_escape_xml(html)*}', want: '&lt;a href=&apos;/x&apos;&gt;&quot;&amp;' },
  { template: '[{{none}}{{missing}}]', want: '[]' },
  { template: '{{_ctx.var.uri}}{{_ctx.var.other}} {*_body*}', want: '&#47;u raw text' },
  { template: '{{tags[1]}}{{tags[3]}}{{#tags}}{{nested.list[2].v}}', want: 'a22' },
  {
    template: '{% if age > 18 and name ~= "x" then %}adult{% else %}minor{% end %}',
    want: 'adult',
  },
  { template: '{% if missing == nil then %}nil{% elseif none then %}x{% end %}', want: 'nil' },
  { template: '{% for i, tag in ipairs(tags) do %}{{i}}={{tag}};{% end %}', want: '1=a;2=b;' },
  { template: '{% for k, v in pairs(nested.list[1]) do %}{{k}}{{v}}{% end %}', want: 'v1' },
  { template: '{% for i = 3, 1, -1 do %}{{i}}{% end %}', want: '321' },
  {
    template: '{% local a = age / 3 %}{{a}}|{{2 ^ 3 ^ 2}}|{{-7 % 3}}|{{1e15}}',
    want: '6.6666666666667|512|2|1e+15',
  },
  {
    template: '{* string.gsub(_body, "raw ", "") *}{{name:upper()}}{{name:sub(-3)}}',
    want: 'textHELLOllo',
  },
  { template: '{# nothing #}\\{{name}}{-raw-}{{x}}{-raw-}', want: '{{name}}{{x}}' },
  { template: 'a\n  {% if true then %}\n{"b": {1}}\n{% end %}\n', want: 'a\n{"b": {1}}\n' },
  { template: "{{context.name .. 'x' .. 1}}{{not nil}}{{missing or 'd'}}", want: 'hellox1trued' },
])('$template is $want', ({ template, want }) => {
  expect(render(template)).toBe(want);
});

test.each([
  { template: "{% local x = require('os') %}", why: '"require" cannot be called' },
  { template: '{{os.execute("x")}}', why: '"os.execute" cannot be called' },
  { template: '{% while true do %}{% end %}', why: '"while"' },
  { template: '{% function f() end %}', why: '"function"' },
  { template: '{{ {} }}', why: 'unexpected "{"' },
  { template: '{(other.html)}', why: 'inclusion' },
  { template: '{{name', why: '"{{" without "}}"' },
  { template: '{% if a then %}', why: '"end" expected' },
  { template: '{% end %}', why: 'unexpected "end"' },
  { template: '{{ name name }}', why: 'cannot' },
  { template: `{{${'('.repeat(100)}1${')'.repeat(100)}}}`, why: 'nested deeper' },
])('$template is refused: $why', ({ template, why }) => {
  if (why === 'cannot') expect(() => compileTemplate(template)).toThrow(TemplateError);
  else expect(() => compileTemplate(template)).toThrow(why);
});

test.each([
  { template: '{{missing.member}}', why: 'attempt to index a nil value' },
  { template: '{{name + 1}}', why: 'arithmetic on a string' },
  { template: '{{name .. nil}}', why: 'concatenate a nil' },
  { template: '{% for i = 1, 1e9 do %}{% end %}', why: 'steps' },
  { template: '{% for i = 1, 1e4 do %}{{name}}{% end %}', why: 'characters' },
  { template: '{{string.gsub(name, "%a+", "")}}', why: 'only plain text' },
])('$template fails: $why', ({ template, why }) => {
  expect(() => render(template)).toThrow(why);
});

test('whatever is written, it compiles or is refused, and what compiles renders or fails', () => {
  const part = fc.constantFrom(
    ...[
      '{{',
      '}}',
      '{%',
      '%}',
      '{*',
      '*}',
      'if',
      'then',
      'end',
      'for',
      'x',
      '=',
      '1',
      '..',
      '(',
      ')',
    ],
    ...[' ', '"', "'", '[', ']', ',', '{-raw-}', '{#', '#}', 'ipairs', 'local', 'not', '-', '\\'],
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
      try {
        render(parts.join(''));
      } catch (error) {
        expect(error).toBeInstanceOf(TemplateError);
      }
    }),
    { seed: 31, numRuns: 2_000 },
  );
});
