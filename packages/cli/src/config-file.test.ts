import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PART_NAMES, type PartName, readConfigFile } from './config-file.ts';

function written(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'f');
  writeFileSync(path, text);
  return path;
}

function read(text: string, wanted: readonly PartName[] = PART_NAMES) {
  const path = written(text);
  const { parts, mistakes } = readConfigFile(path, wanted);
  return {
    agent: parts.agent.given,
    server: parts.server.given,
    mistakes: mistakes.map((mistake) => mistake.replace(`file ${path}: `, '')),
  };
}

test.each([
  { name: 'YAML', text: 'agent:\n  flush_ms: 300 # low\nserver:\n  port: 1\n' },
  { name: 'JSON', text: '{\n\t"agent": {"flush_ms": 300},\n\t"server": {"port": 1}\n}' },
])('$name holds a map for each part', ({ text }) => {
  expect(read(text)).toEqual({ agent: { flush_ms: 300 }, server: { port: 1 }, mistakes: [] });
});

test('for one part alone its keys may stand at the top', () => {
  expect(read('port: 1\n', ['server'])).toEqual({ agent: {}, server: { port: 1 }, mistakes: [] });
});

test.each([
  { name: 'an empty file', text: '' },
  { name: 'a part without keys', text: 'agent:\n' },
])('$name sets nothing', ({ text }) => {
  expect(read(text)).toEqual({ agent: {}, server: {}, mistakes: [] });
});

test.each<{ name: string; text: string; wanted?: readonly PartName[]; mistakes: string[] }>([
  {
    name: 'keys beside the parts',
    text: 'agent: {}\nsever: {}\nport: 1\n',
    mistakes: [
      'unknown key "sever" at the top; did you mean "server"?',
      'unknown key "port" at the top; keys stand under "agent" or "server"',
    ],
  },
  {
    name: 'a misspelt part alone',
    text: 'sever:\n  port: 1\n',
    wanted: ['server'],
    mistakes: ['unknown key "sever" at the top; did you mean "server"?'],
  },
  { name: 'a list', text: '- 1\n', mistakes: ['not a map of keys to values'] },
  {
    name: 'a key twice, and a tag that means nothing',
    text: 'server:\n  port: 1\n  port: 2\n  host: !mine x\n',
    mistakes: [
      'Map keys must be unique at line 3, column 3',
      'Unresolved tag: !mine at line 4, column 9',
    ],
  },
  {
    name: 'aliases that unfold to much',
    text: `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${Array(9).fill('*a').join()}]\nc: [${Array(9).fill('*b').join()}]\n`,
    mistakes: ['Excessive alias count indicates a resource exhaustion attack'],
  },
  {
    name: 'a huge file',
    text: '#'.repeat(2 ** 20 + 1),
    mistakes: ['1048577 bytes, the most is 1048576'],
  },
])('$name: every mistake is named', ({ text, wanted, mistakes }) => {
  expect(read(text, wanted).mistakes).toEqual(mistakes);
});

test.each([
  { name: 'brackets without end', text: '['.repeat(100_000) },
  { name: 'maps in maps', text: '{a: '.repeat(100_000) },
  { name: 'lists in lists', text: `${'- '.repeat(100_000)}x` },
])('$name is refused before it is parsed', ({ text }) => {
  expect(read(text).mistakes).toEqual(['nested deeper than 64']);
});

test('one broken bracket is a few mistakes, not a flood', () => {
  const { length } = read(`a: ${'['.repeat(60)}`).mistakes;
  expect([length > 0, length <= 8]).toEqual([true, true]);
});

test.each([
  { name: 'no such file', path: '/nowhere/f.yaml', says: 'ENOENT: no such file or directory' },
  { name: 'a directory', path: tmpdir(), says: 'EISDIR: illegal operation on a directory' },
])('$name is a mistake', ({ path, says }) => {
  expect(readConfigFile(path, PART_NAMES).mistakes).toEqual([`file ${path}: ${says}`]);
});
