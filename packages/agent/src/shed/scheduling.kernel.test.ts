import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { loadAddon } from '../kernel/addon.ts';
import { atUsualPriority, yieldCpu } from './scheduling.ts';

const [SCHED_OTHER, SCHED_IDLE] = [0, 5];
const addon = loadAddon();

/** Field 41 of /proc/PID/stat, counted from 1. */
function policy(): number {
  const stat = readFileSync('/proc/thread-self/stat', 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]);
}

test('in a process of others the calling thread yields, and not while it reads what others lock', () => {
  onTestFinished(() => addon.setIdle(process.pid, false));
  expect(policy()).toBe(SCHED_OTHER);
  yieldCpu(addon, true);
  expect(policy()).toBe(SCHED_IDLE);
  expect(atUsualPriority(addon, policy)).toBe(SCHED_OTHER);
  expect(policy()).toBe(SCHED_IDLE);
  expect(() =>
    atUsualPriority(addon, () => {
      throw new Error('gone');
    }),
  ).toThrow('gone');
  expect(policy()).toBe(SCHED_IDLE);
});

test('in a process of its own all threads but the main one yield, and that one is nice', () => {
  const script = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { getPriority } from 'node:os';
    import { loadAddon } from ${JSON.stringify(new URL('../kernel/addon.ts', import.meta.url))};
    import { yieldCpu } from ${JSON.stringify(new URL('./scheduling.ts', import.meta.url))};
    yieldCpu(loadAddon(), false);
    const policies = readdirSync('/proc/self/task')
      .filter((thread) => thread !== String(process.pid))
      .map((thread) => {
        const stat = readFileSync('/proc/self/task/' + thread + '/stat', 'latin1');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]);
      });
    console.log(JSON.stringify({ policies, nice: getPriority(process.pid) }));`;
  const flags = ['--conditions=@thalweg/source', '--import', 'tsx', '--input-type=module'];
  const told = execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' });
  const { policies, nice } = JSON.parse(told) as { policies: number[]; nice: number };
  expect(policies.length).toBeGreaterThan(1);
  expect(new Set(policies)).toEqual(new Set([SCHED_IDLE]));
  expect(nice).toBe(10);
});

test("the CPU of the calling thread counts its work, as the kernel's own account of it does", () => {
  const account = (): number =>
    Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e9;
  const before = account();
  const used = addon.threadCpuSeconds();
  const after = account();
  expect(used).toBeGreaterThanOrEqual(before);
  expect(used).toBeLessThanOrEqual(after);
});

test('a thread that is not there is an error with its reason', () => {
  expect(() => addon.setIdle(2 ** 22 + 1, true)).toThrow(/scheduling policy.*No such process/);
});
