// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { expect, test } from 'vitest';
import { resolveTemplate } from './template.ts';

const context = { variable: (name: string) => (name === 'a' ? '1' : undefined) };

test.each([
  { template: 'plain', text: 'plain', resolvedCount: 0 },
  { template: '$a/${a}', text: '1/1', resolvedCount: 2 },
  { template: '$b-', text: '-', resolvedCount: 0 },
  { template: '${b ?? none}', text: 'none', resolvedCount: 0 },
  { template: '\\$a', text: '$a', resolvedCount: 0 },
])('$template gives $text', ({ template, text, resolvedCount }) => {
  expect(resolveTemplate(context, template)).toEqual({ text, resolvedCount });
});
