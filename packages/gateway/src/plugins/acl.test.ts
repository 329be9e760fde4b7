import { expect, test } from 'vitest';
import { acl } from './acl.ts';
import { onBench, request } from './testing/plugin-bench.ts';

async function statusFor(
  conf: object,
  who: { readonly labels?: Record<string, string>; readonly user?: Record<string, unknown> },
): Promise<number> {
  const { handlers } = onBench(acl, { ...conf });
  const context = request();
  const { labels } = who;
  if (labels !== undefined) {
    context.consumer = { username: 'jack', groupId: undefined, labels, plugins: {} };
  }
  context.externalUser = who.user;
  return (await handlers.access?.(context))?.status ?? 200;
}

const ALLOW = { allow_labels: { team: ['platform', 'infra'] } };
const DENY = { deny_labels: { role: ['guest'] } };

test.each([
  { name: 'an allowed label', conf: ALLOW, labels: { team: 'platform' }, want: 200 },
  { name: 'another value', conf: ALLOW, labels: { team: 'sales' }, want: 403 },
  { name: 'no such label', conf: ALLOW, labels: {}, want: 403 },
  { name: 'a list in JSON', conf: ALLOW, labels: { team: '["sales","infra"]' }, want: 200 },
  { name: 'a list with commas', conf: ALLOW, labels: { team: 'sales,infra' }, want: 200 },
  { name: 'a denied label', conf: DENY, labels: { role: 'guest' }, want: 403 },
  { name: 'none that is denied', conf: DENY, labels: { team: 'sales' }, want: 200 },
  {
    name: 'denied and allowed',
    conf: { ...ALLOW, ...DENY, rejected_code: 418 },
    labels: { team: 'platform', role: 'guest' },
    want: 418,
  },
])('$name answers $want', async ({ conf, labels, want }) => {
  expect(await statusFor(conf, { labels })).toBe(want);
});

test.each([
  { name: 'a list of groups', more: {}, user: { groups: ['infra'] }, want: 200 },
  { name: 'no groups', more: {}, user: { sub: 'x' }, want: 403 },
  {
    name: 'groups anywhere, by JSONPath',
    more: { external_user_label_field: '$..groups', external_user_label_field_key: 'groups' },
    user: { realm: { groups: ['infra', 'x'] } },
    want: 200,
  },
  {
    name: 'text with a separator of its own',
    more: {
      external_user_label_field_parser: 'segmented_text',
      external_user_label_field_separator: '\\s*\\|\\s*',
    },
    user: { groups: 'x | infra' },
    want: 200,
  },
  {
    name: 'text where a list was said to be',
    more: { external_user_label_field_parser: 'table' },
    user: { groups: 'infra' },
    want: 403,
  },
])('a user from elsewhere with $name answers $want', async ({ more, user, want }) => {
  const conf = { allow_labels: { groups: ['infra'] }, ...more };
  expect(await statusFor(conf, { user })).toBe(want);
});

test('nobody known is 401', async () => {
  expect(await statusFor(ALLOW, {})).toBe(401);
});
