import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { RUNGS, type Rung } from './ladder.ts';

// The C that runs in the kernel, compiled for this machine with sanitizers: bpf/host/capture.test.c
// plays its cases and prints a line for each, which becomes a test here.

const BPF = fileURLToPath(new URL('../../bpf/', import.meta.url));
const FLAGS = ['-g', '-O1', '-std=gnu17', '-Wall', '-Wextra', '-Werror'];
const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const folder = mkdtempSync(join(tmpdir(), 'thalweg-host-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compile(rung: Rung): string {
  const program = join(folder, `rung-${rung}`);
  const defined = rung === 'B' ? ['-DRUNG_B'] : [];
  const args = [...FLAGS, ...SANITIZERS, '-Ihost', '-I.', ...defined];
  const run = spawnSync('gcc', [...args, 'host/capture.test.c', '-o', program], {
    cwd: BPF,
    encoding: 'utf8',
  });
  if (run.error !== undefined) throw new Error('no gcc; fix: make build', { cause: run.error });
  if (run.status !== 0) throw new Error(run.stderr);
  return program;
}

const programs = RUNGS.map((rung) => {
  const program = compile(rung);
  const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8' });
  const cases = stdout
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
    .map(([verdict = '', name = '', got = '']) => ({ name, verdict, got }));
  return { rung, program, status, stderr, cases };
});

describe.each(programs)('rung $rung on the host', ({ rung, program, status, stderr, cases }) => {
  test.each(cases)('$name', ({ verdict, got }) => {
    expect({ verdict, got }).toEqual({ verdict: 'ok', got: '' });
  });

  test('all cases were played, and no sanitizer spoke', () => {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(cases.at(-1)?.name).toBe(
      rung === 'A' ? 'life: a call that failed is nothing' : 'life: what is no socket is nothing',
    );
  });

  test.each([
    { crime: 'overrun', words: /heap-buffer-overflow/ },
    { crime: 'overflow', words: /signed integer overflow/ },
  ])('a sanitizer would speak: $crime', ({ crime, words }) => {
    const caught = spawnSync(program, [crime], { encoding: 'utf8' });
    expect(caught.status).not.toBe(0);
    expect(caught.stderr).toMatch(words);
  });
});
