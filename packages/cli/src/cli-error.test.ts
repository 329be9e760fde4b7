import { expect, test } from 'vitest';
import { CliError, toCliError } from './cli-error.ts';

function coded(code: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { code }, more);
}

test.each([
  {
    thrown: new CliError('usage', 'no', 'do'),
    becomes: { code: 'usage', message: 'no', fix: 'do' },
  },
  { thrown: 'text', becomes: { code: 'failed', message: 'text' } },
  { thrown: new Error('what'), becomes: { code: 'failed', message: 'what' } },
  { thrown: coded('EADDRINUSE', 'port'), becomes: { code: 'port_in_use' } },
  { thrown: coded('EACCES', 'door'), becomes: { code: 'not_permitted' } },
  { thrown: coded('ENOSPC', 'full'), becomes: { code: 'unavailable' } },
  {
    thrown: coded('kernel_permission', 'x', { fix: 'sudo' }),
    becomes: { code: 'not_permitted', fix: 'sudo' },
  },
  { thrown: coded('kernel_no_btf', 'x'), becomes: { code: 'unavailable' } },
  { thrown: coded('never_heard_of', 'x'), becomes: { code: 'failed' } },
  {
    thrown: new Error('outer', { cause: new Error('inner') }),
    becomes: { message: 'outer: inner' },
  },
  {
    thrown: new Error('outer: inner', { cause: new Error('inner') }),
    becomes: { message: 'outer: inner' },
  },
])('$thrown becomes $becomes', ({ thrown, becomes }) => {
  expect(toCliError(thrown)).toMatchObject(becomes);
});
