import { expect, test } from 'vitest';
import { errorPage } from './error-page.ts';
import { filteredBody } from './testing/filtered-body.ts';
import { answered, onBench, request } from './testing/plugin-bench.ts';

const PAGES = {
  enable: true,
  error_404: { body: '{"code":404}', content_type: 'application/json' },
  error_502: {},
};

test.each([
  { name: 'its page', metadata: PAGES, status: 404, want: ['application/json', '{"code":404}'] },
  { name: 'no page for it', metadata: PAGES, status: 403, want: ['text/plain', 'own'] },
  {
    name: 'switched off',
    metadata: { ...PAGES, enable: false },
    status: 404,
    want: ['text/plain', 'own'],
  },
  { name: 'no metadata', metadata: undefined, status: 404, want: ['text/plain', 'own'] },
  {
    name: 'a page without body',
    metadata: PAGES,
    status: 502,
    want: ['text/html', '502 Bad Gateway'],
  },
])("the gateway's $status with $name is $want", ({ metadata, status, want: [type, body] }) => {
  const { handlers } = onBench(errorPage, {}, { metadata: () => metadata });
  const context = answered(request(), status, 'apisix', { 'Content-Type': 'text/plain' });
  handlers.header_filter?.(context);
  expect(context.response?.fields.get('content-type')).toBe(type);
  expect(filteredBody(handlers, context, [Buffer.from('own')]).toString()).toContain(body);
});

test("an upstream's own 404 stays as it is", () => {
  const { handlers } = onBench(errorPage, {}, { metadata: () => PAGES });
  const context = answered(request(), 404, 'upstream');
  handlers.header_filter?.(context);
  expect(filteredBody(handlers, context, [Buffer.from('own')]).toString()).toBe('own');
});
