import { expect, test } from 'vitest';
import { KernelError } from './kernel-error.ts';
import { climb, RUNGS, type Rung } from './ladder.ts';

/** As the addon throws it. */
function refusal(code: string, log = ''): Error {
  return Object.assign(new Error(`load: ${code}`), { code, errno: 1, log });
}

/** An attempt that fails as often as there are errors for its rung. */
function attempt(errors: Partial<Record<Rung, Error[]>>): (rung: Rung) => string {
  return (rung) => {
    const error = errors[rung]?.shift();
    if (error !== undefined) throw error;
    return `loaded ${rung}`;
  };
}

test.each([
  {
    name: 'the first rung that holds is taken',
    errors: {},
    want: { rung: 'A', value: 'loaded A', reason: '' },
  },
  {
    name: 'the reason names the rung that was refused, with the last words of the log',
    errors: { A: [refusal('ESRCH', "first\nno BTF found for 'sock_send_length'\n")] },
    want: {
      rung: 'B',
      value: 'loaded B',
      reason: "rung A: load: ESRCH (no BTF found for 'sock_send_length')",
    },
  },
  {
    name: "EPERM with the right to load is the kernel's own refusal",
    errors: { A: [refusal('EPERM')] },
    want: { rung: 'B', value: 'loaded B', reason: 'rung A: load: EPERM' },
  },
  {
    name: 'a load that a signal broke off is tried again',
    errors: { A: [refusal('EAGAIN'), refusal('EAGAIN')] },
    want: { rung: 'A', value: 'loaded A', reason: '' },
  },
])('$name', ({ errors, want }) => {
  expect(climb(RUNGS, attempt(errors), () => true)).toEqual(want);
});

test('signals without end are a refusal, not an endless loop', () => {
  const errors = { A: Array.from({ length: 100 }, () => refusal('EAGAIN')) };
  expect(climb(RUNGS, attempt(errors), () => true).rung).toBe('B');
});

test.each([
  {
    name: 'no rung holds: both reasons and the fix',
    rungs: RUNGS,
    errors: { A: [refusal('ESRCH')], B: [refusal('EINVAL', 'unknown func')] },
    mayLoad: true,
    want: {
      code: 'kernel_unsupported',
      message:
        'no way to capture on this kernel: rung A: load: ESRCH; rung B: load: EINVAL (unknown func)',
      fix: 'use Linux 6.3 or later (rung A) or 5.15 or later (rung B), built with CONFIG_BPF_SYSCALL',
    },
  },
  {
    name: 'the only rung that may be tried does not hold',
    rungs: ['A'] as const,
    errors: { A: [refusal('ESRCH')] },
    mayLoad: true,
    want: {
      code: 'kernel_unsupported',
      message: 'no way to capture on this kernel: rung A: load: ESRCH',
      fix: 'set rung to auto: only rung A was tried',
    },
  },
  {
    name: 'without the right to load nothing is said of the kernel',
    rungs: RUNGS,
    errors: { A: [refusal('EPERM')] },
    mayLoad: false,
    want: {
      code: 'kernel_permission',
      message: 'the kernel refuses to load capture programs',
      fix: 'run as root, or with the capabilities CAP_BPF and CAP_PERFMON',
    },
  },
])('$name', ({ rungs, errors, mayLoad, want }) => {
  let thrown: unknown;
  try {
    climb(rungs, attempt(errors), () => mayLoad);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(KernelError);
  const { code, message, fix } = thrown as KernelError; // Just checked.
  expect({ code, message, fix }).toEqual(want);
});

test('an error of our own is not taken for a refusal', () => {
  const attempt = (): never => {
    throw new TypeError('BUG: ours');
  };
  expect(() => climb(RUNGS, attempt, () => true)).toThrow(TypeError);
});
