import { parseNumber } from '../parse/numbers.ts';
import { unquote } from '../parse/quoting.ts';
import {
  type AnnotationExpectation,
  type Expectation,
  type ExpectedSeries,
  ScriptFault,
  type ScriptTimes,
  type TextMatch,
} from './script.ts';
import { parseSamples, parseSeriesLine } from './series-notation.ts';
import { timeOf } from './times.ts';

const EXPECT = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):\s*(.*))?$/;
const EXPECT_STRING = /^expect\s+string\s+(.+)$/;
const EXPECT_TIMES = /^expect\s+range\s+vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/;
const OLD_FAILURE = /^expected_fail_(message|regexp)\s+(.+)$/;

interface Draft {
  /** What is expected, with the texts that go with it. */
  readonly seen: Map<string, TextMatch[]>;
  readonly series: ExpectedSeries[];
  string?: string;
  scalar?: number;
  vectorTimes?: ScriptTimes;
}

/** `mode` is the suffix of an old-style `eval_fail`, `eval_ordered`, … */
export function readExpectation(mode: string, lines: readonly string[]): Expectation {
  const draft: Draft = { seen: new Map(mode === '' ? [] : [[mode, []]]), series: [] };
  for (const line of lines) readLine(line, draft);
  const { seen, series, string, scalar, vectorTimes } = draft;
  return {
    isOrdered: seen.has('ordered'),
    fails: seen.has('fail'),
    failure: seen.get('fail') ?? [],
    warn: annotationOf(seen, 'warn'),
    info: annotationOf(seen, 'info'),
    string,
    scalar,
    series,
    vectorTimes,
  };
}

function readLine(line: string, draft: Draft): void {
  const { seen, series } = draft;
  const expect = EXPECT.exec(line);
  const old = OLD_FAILURE.exec(line);
  const string = EXPECT_STRING.exec(line);
  const times = EXPECT_TIMES.exec(line);
  if (expect !== null) {
    const [, what = '', kind, text = ''] = expect;
    const matches = seen.get(what) ?? [];
    seen.set(what, matches);
    if (kind === 'msg' || kind === 'regex') matches.push({ kind, text: text.trim() });
  } else if (old !== null) {
    const [, kind, text = ''] = old;
    seen.set('fail', [{ kind: kind === 'regexp' ? 'regex' : 'msg', text: text.trim() }]);
  } else if (string !== null) {
    const value = unquote(string[1] ?? '');
    if (value === undefined) throw new ScriptFault(`bad string ${line}`);
    draft.string = value;
  } else if (times !== null) {
    const [startMs = 0, endMs = 0, stepMs = 0] = times.slice(1).map(timeOf);
    draft.vectorTimes = { startMs, endMs, stepMs };
  } else if (line.startsWith('expect ')) {
    throw new ScriptFault(`unknown expectation ${line}`);
  } else {
    const number = line.includes('{') ? undefined : parseNumber(line);
    if (number === undefined) series.push(seriesOf(line));
    else draft.scalar = number;
  }
}

function seriesOf(line: string): ExpectedSeries {
  const { labels, rest } = parseSeriesLine(line);
  return { labels, samples: parseSamples(rest), namesHint: rest.includes('counter_reset_hint') };
}

function annotationOf(
  seen: ReadonlyMap<string, readonly TextMatch[]>,
  kind: string,
): AnnotationExpectation | undefined {
  const matches = seen.get(kind);
  if (matches !== undefined) return { isExpected: true, matches };
  return seen.has(`no_${kind}`) ? { isExpected: false, matches: [] } : undefined;
}
