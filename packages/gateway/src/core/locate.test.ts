import { expect, test } from 'vitest';
import { locate } from './locate.ts';
import { makeContext } from './make-context.ts';
import { parseIpRanges } from './match/ip-range.ts';

const LOOPBACK = parseIpRanges(['127.0.0.1']);

function located(
  field: string | undefined,
  settings: { isRecursive?: boolean; isTrusted?: boolean },
) {
  const context = makeContext({ method: 'GET', host: 'Shop.Test:8080', target: '/' });
  if (field !== undefined) context.headers.add('X-Real-IP', field);
  context.headers.add('X-Forwarded-Proto', 'https');
  locate(context, {
    deletesTailSlash: false,
    isServletLike: false,
    keepsEncodedSlash: false,
    trusted: settings.isTrusted === true ? LOOPBACK : undefined,
    realIp: { from: LOOPBACK, field: 'x-real-ip', isRecursive: settings.isRecursive === true },
  });
  return context;
}

test.each([
  { field: undefined, isRecursive: false, want: '127.0.0.1' },
  { field: '192.0.2.7', isRecursive: false, want: '192.0.2.7' },
  { field: '192.0.2.7, 192.0.2.8', isRecursive: false, want: '192.0.2.8' },
  { field: '192.0.2.7, 127.0.0.1', isRecursive: true, want: '192.0.2.7' },
  { field: 'nonsense', isRecursive: false, want: '127.0.0.1' },
])('a believed peer that names $field speaks for $want', ({ field, isRecursive, want }) => {
  expect(located(field, { isRecursive }).clientIp).toBe(want);
});

test.each([
  { isTrusted: false, want: 'http' },
  { isTrusted: true, want: 'https' },
])('X-Forwarded-Proto of a peer with trust $isTrusted is $want', ({ isTrusted, want }) => {
  expect(located(undefined, { isTrusted }).headers.get('x-forwarded-proto')).toBe(want);
});
