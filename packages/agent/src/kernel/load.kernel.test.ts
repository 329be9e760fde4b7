import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { builtFile, loadAddon } from './addon.ts';
import { openTestCapture } from './capture-testing.ts';
import { probeFeatures } from './probe.ts';

const folder = mkdtempSync(join(tmpdir(), 'thalweg-load-'));
const garbage = join(folder, 'garbage.bpf.o');
writeFileSync(garbage, 'not an object file');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The verifier gives up at a million; far below it, a compiler's whim does not reach it. */
const VERIFIED_MAX = 100_000;

test.each([
  {
    object: 'capture.bpf.o',
    programs: ['on_epoll_pwait', 'on_epoll_wait', 'on_receive', 'on_send', 'on_state'],
  },
  {
    object: 'capture-sysexit.bpf.o',
    programs: ['on_epoll_pwait', 'on_epoll_wait', 'on_state', 'on_sys_exit'],
  },
  { object: 'generator.bpf.o', programs: ['on_generate'] },
  { object: 'packets.bpf.o', programs: ['on_egress', 'on_ingress'] },
])('$object passes the verifier with its programs', ({ object, programs }) => {
  const addon = loadAddon();
  const opened = addon.open(builtFile(object));
  try {
    addon.load(opened);
    const facts = addon.programs(opened);
    for (const { name, instructions, verified } of facts) {
      process.stdout.write(
        `${object} ${name}: ${instructions} instructions, ${verified} verified\n`,
      );
      expect(instructions).toBeGreaterThan(0);
      // All paths are walked at least once, so no fewer than there are instructions to reach.
      expect(verified).toBeGreaterThan(0);
      expect(verified).toBeLessThan(VERIFIED_MAX);
    }
    expect(facts.map(({ name }) => name).sort()).toEqual(programs);
  } finally {
    addon.close(opened);
  }
});

test('the signals of a profiler do not stop a load', async () => {
  const addon = loadAddon();
  const profiler = new Session();
  profiler.connect();
  await profiler.post('Profiler.enable');
  await profiler.post('Profiler.setSamplingInterval', { interval: 100 });
  await profiler.post('Profiler.start');
  const opened = addon.open(builtFile('packets.bpf.o'));
  try {
    addon.load(opened);
    expect(addon.programs(opened)).toHaveLength(2);
  } finally {
    addon.close(opened);
    await profiler.post('Profiler.stop');
    profiler.disconnect();
  }
});

test('runs are timed while they are measured, and only then', async () => {
  const capture = openTestCapture({});
  const runs = (): number => capture.programs().reduce((sum, program) => sum + program.runs, 0);
  try {
    capture.measure();
    capture.measure();
    await expect.poll(() => fetch('http://127.0.0.1:1/').catch(() => runs())).toBeGreaterThan(0);
    expect(capture.programs().every(({ runs, runNs }) => runNs >= runs)).toBe(true);
  } finally {
    capture.close();
  }
  expect(capture.programs()).toEqual([]);
});

test('a refused rung A leaves rung B, and the reason says why', () => {
  const capture = openTestCapture({
    objectOf: (rung) => (rung === 'A' ? garbage : builtFile('capture-sysexit.bpf.o')),
  });
  capture.close();
  expect(capture).toMatchObject({ rung: 'B', reason: expect.stringMatching(/^rung A: open /) });
});

test.each([
  {
    name: 'no rung holds',
    options: { objectOf: () => garbage },
    want: { code: 'kernel_unsupported', message: /rung A: .*; rung B: /, fix: /5\.15 or later/ },
  },
  {
    name: 'an object was not built',
    options: { objectOf: () => join(folder, 'missing.bpf.o') },
    want: { code: 'kernel_addon_missing', message: /missing\.bpf\.o/, fix: /make build/ },
  },
  {
    name: 'the kernel has no BTF',
    options: { btfPath: join(folder, 'vmlinux') },
    want: { code: 'kernel_no_btf', message: /vmlinux/, fix: /CONFIG_DEBUG_INFO_BTF/ },
  },
])('$name: an error with a code and a fix', ({ options, want }) => {
  expect(() => openTestCapture(options)).toThrow(
    expect.objectContaining({
      code: want.code,
      message: expect.stringMatching(want.message),
      fix: expect.stringMatching(want.fix),
    }),
  );
});

test('doctor shows that BTF is missing, why capture is off, and the fix', () => {
  const btfPath = join(folder, 'vmlinux');
  const fix = expect.stringMatching(/CONFIG_DEBUG_INFO_BTF/);
  const reason = expect.stringContaining(btfPath);
  expect(probeFeatures(btfPath)).toEqual([
    { feature: expect.stringMatching(/BTF/), isOn: false, rung: '-', reason, fix },
    { feature: expect.stringMatching(/capture/), isOn: false, rung: '-', reason, fix },
  ]);
});

test('doctor shows the rung that capture stands on here', () => {
  for (const { isOn, rung, fix } of probeFeatures()) {
    expect({ isOn, fix }).toEqual({ isOn: true, fix: '' });
    expect(['A', 'B']).toContain(rung);
  }
});
