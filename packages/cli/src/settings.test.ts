import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseArguments } from './arguments.ts';
import { up } from './commands/up.ts';
import { bothSettings, serverSettings } from './settings.ts';

function origin(line: string, environment: Record<string, string> = {}) {
  return { values: parseArguments(up, line === '' ? [] : line.split(' ')), environment };
}

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-settings-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'thalweg.yaml');
  writeFileSync(path, text);
  return path;
}

test('options win over a command’s own values, these over environment and file', () => {
  const config = fileWith(
    'agent: {capture_bytes: 100, flush_ms: 100}\nserver: {port: 1, body_bytes_max: 200000}\n',
  );
  const { agent, server } = bothSettings(
    origin(`--config ${config} --only-port 80 --only-port 81`, {
      THALWEG_AGENT_CAPTURE_BYTES: '200',
      THALWEG_SERVER_PORT: '2',
    }),
    { server: { port: 0 } },
  );
  expect([agent.capture_bytes, agent.flush_ms, agent.ports]).toEqual([200, 100, [80, 81]]);
  expect([server.port, server.body_bytes_max]).toEqual([0, 200_000]);
});

test('mistakes of file, environment and options, of both parts, come in one message', () => {
  const config = fileWith('agent: {flush_sm: 1}\nserver: {data_dir: 7}\n');
  const environment = { THALWEG_SERVER_PROT: '1', THALWEG_AGENT_CAPTURE_BYTES: 'very' };
  expect(() => bothSettings(origin(`--config ${config} --port many`, environment))).toThrow(
    expect.objectContaining({
      code: 'usage',
      message: [
        '5 mistakes in the settings',
        `file ${config}: unknown key "flush_sm"; did you mean "flush_ms"?`,
        'environment: THALWEG_AGENT_CAPTURE_BYTES: expected number, not "very"',
        `file ${config}: data_dir: expected string, not 7`,
        'environment: unknown key "THALWEG_SERVER_PROT"; did you mean "THALWEG_SERVER_PORT"?',
        'command line: --port: expected number, not "many"',
      ].join('\n  '),
    }),
  );
});

test('a file that is not there hides no other mistake', () => {
  const asked = () => serverSettings(origin('--config /nowhere --port many'));
  expect(asked).toThrow('file /nowhere: ENOENT: no such file or directory\n  command line: --port');
});
