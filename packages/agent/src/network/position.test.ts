import { expect, test } from 'vitest';
import { positionOf } from './position.ts';

const NOWHERE = {
  isClientInside: false,
  isServerInside: false,
  isClientNear: false,
  isServerNear: false,
  isRequestIngress: false,
};

test.each([
  {
    name: "the client's own interface",
    at: { isClientInside: true, isClientNear: true },
    want: 'c',
  },
  {
    name: "the server's own interface",
    at: { isServerInside: true, isServerNear: true },
    want: 's',
  },
  { name: 'both are inside', at: { isClientInside: true, isServerInside: true }, want: 'local' },
  { name: "the client's machine", at: { isClientNear: true }, want: 'c-nd' },
  { name: "the server's machine", at: { isServerNear: true }, want: 's-nd' },
  {
    name: 'one machine, where the request comes in',
    at: { isClientNear: true, isServerNear: true, isRequestIngress: true },
    want: 'c-nd',
  },
  {
    name: 'one machine, where the request goes out',
    at: { isClientNear: true, isServerNear: true },
    want: 's-nd',
  },
  { name: 'somewhere between', at: {}, want: 'rest' },
])('$name: $want', ({ at, want }) => {
  expect(positionOf({ ...NOWHERE, ...at })).toBe(want);
});
