import { readExpectation } from './read-expectation.ts';
import { type Command, ScriptFault } from './script.ts';
import { parseSeries } from './series-notation.ts';
import { timeOf } from './times.ts';

/** Characters of a script. */
const SCRIPT_SIZE_MAX = 10_000_000;

const LOAD = /^load(_with_nhcb)?\s+(\S+)$/;
const INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(\S+)\s+)?(.+)$/;
const RANGE =
  /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$/;
/** Two evaluations may follow each other without an empty line. */
const COMMAND = /^(?:eval(?:_\w+)?\s+(?:instant|range)\s|load(?:_with_nhcb)?\s+\d\S*$|clear$)/;

/** Reads a script; never throws. A comment ends a block as an empty line does. */
export function readScript(text: string): Command[] {
  if (text.length > SCRIPT_SIZE_MAX) {
    const message = `a script of ${text.length} characters, the most is ${SCRIPT_SIZE_MAX}`;
    return [{ kind: 'unread', line: 1, message }];
  }
  const lines = text.split('\n').map((line) => {
    const trimmed = line.trim();
    return trimmed.startsWith('#') ? '' : trimmed;
  });
  const commands: Command[] = [];
  let isIgnoring = false;
  for (let at = 0; at < lines.length; ) {
    const head = lines[at] ?? '';
    const end = /^(?:load|eval)/.test(head) ? blockEnd(lines, at) : at + 1;
    try {
      if (head === 'ignore') isIgnoring = true;
      else if (head === 'resume') isIgnoring = false;
      else if (head !== '' && !isIgnoring) commands.push(readCommand(lines.slice(at, end), at + 1));
    } catch (error) {
      if (!(error instanceof ScriptFault)) throw error;
      commands.push({ kind: 'unread', line: at + 1, message: error.message });
    }
    at = end;
  }
  return commands;
}

function blockEnd(lines: readonly string[], start: number): number {
  let end = start + 1;
  while ((lines[end] ?? '') !== '' && !COMMAND.test(lines[end] ?? '')) end++;
  return end;
}

function readCommand([head = '', ...rest]: readonly string[], line: number): Command {
  if (head === 'clear') return { kind: 'clear', line };
  const load = LOAD.exec(head);
  if (load !== null) {
    const withCustomHistograms = load[1] !== undefined;
    const gapMs = timeOf(load[2] ?? '');
    return { kind: 'load', line, gapMs, withCustomHistograms, series: rest.map(parseSeries) };
  }
  const range = RANGE.exec(head);
  if (range !== null) {
    const [, mode = '', start = '', end = '', step = '', query = ''] = range;
    const times = { startMs: timeOf(start), endMs: timeOf(end), stepMs: timeOf(step) };
    return { kind: 'evaluate', line, query, times, expectation: readExpectation(mode, rest) };
  }
  const instant = INSTANT.exec(head);
  if (instant !== null) {
    const [, mode = '', at = '0', query = ''] = instant;
    const expectation = readExpectation(mode, rest);
    return { kind: 'evaluate', line, query, times: { timeMs: timeOf(at) }, expectation };
  }
  throw new ScriptFault(`unknown command ${head}`);
}
