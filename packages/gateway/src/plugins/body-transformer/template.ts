import { type Expression, readExpression } from './expression.ts';
import { escapeHtml } from './functions.ts';
import { TemplateError } from './lua-tokens.ts';
import { isTrue, type LuaValue, numberOf, typeName, writtenText } from './lua-values.ts';
import { createRun, type Run } from './run.ts';
import { templateTokens } from './template-parts.ts';
import { createTokenReader, type TokenReader } from './token-reader.ts';

/** A template that can be rendered as often as wanted; it keeps nothing of a rendering. */
export interface Template {
  /** Throws `TemplateError`: an operation that its values do not have, or too much of it. */
  render(body: LuaValue, extras: ReadonlyMap<string, LuaValue>, sizeMax: number): string;
}

type Statement = (run: Run) => void;

/**
 * Compiles a template in lua-resty-template's syntax, with that part of Lua that can be evaluated
 * safely: expressions, `if`, `for`, `local`, and a list of functions. Throws `TemplateError` of all else.
 */
export function compileTemplate(source: string): Template {
  const reader = createTokenReader(templateTokens(source));
  const block = readBlock(reader);
  const { kind, text } = reader.peek();
  if (kind !== 'end') throw new TemplateError(`unexpected "${text}"`);
  return {
    render(body, extras, sizeMax) {
      const run = createRun(body, extras, sizeMax);
      block(run);
      return run.written();
    },
  };
}

/** Statements up to a word that none begins with: `end`, `else`, `elseif`. */
function readBlock(reader: TokenReader): Statement {
  return reader.nested(() => {
    const statements: Statement[] = [];
    for (;;) {
      const statement = readStatement(reader);
      if (statement === undefined) break;
      statements.push(statement);
    }
    return (run) =>
      run.scoped(() => {
        for (const statement of statements) {
          run.step();
          statement(run);
        }
      });
  });
}

/** Undefined when none begins here. */
function readStatement(reader: TokenReader): Statement | undefined {
  while (reader.accept(';'));
  const { kind, text, isEscaped } = reader.peek();
  if (kind === 'output') {
    reader.next();
    return readOutput(reader, isEscaped === true);
  }
  if (reader.accept('if')) return readIf(reader);
  if (reader.accept('for')) return readFor(reader);
  if (reader.accept('local')) return readAssignment(reader, true);
  if (kind === 'name') return readAssignment(reader, false);
  const isBlockEnd = ['end', 'else', 'elseif'].includes(text) && kind === 'word';
  if (kind === 'end' || isBlockEnd) return undefined;
  throw new TemplateError(
    `"${text}": templates are not run as Lua here, they may use if, for and local`,
  );
}

function readOutput(reader: TokenReader, isEscaped: boolean): Statement {
  const value = readExpression(reader);
  return (run) => {
    const text = writtenText(value(run));
    run.write(isEscaped ? escapeHtml(text) : text);
  };
}

function readIf(reader: TokenReader): Statement {
  const branches: { readonly holds: Expression; readonly block: Statement }[] = [];
  let otherwise: Statement | undefined;
  do {
    const holds = readExpression(reader);
    reader.expect('then');
    branches.push({ holds, block: readBlock(reader) });
  } while (reader.accept('elseif'));
  if (reader.accept('else')) otherwise = readBlock(reader);
  reader.expect('end');
  return (run) => {
    const branch = branches.find(({ holds }) => isTrue(holds(run)));
    (branch?.block ?? otherwise)?.(run);
  };
}

function readAssignment(reader: TokenReader, isLocal: boolean): Statement {
  const name = reader.name();
  if (!isLocal || reader.peek().text === '=') reader.expect('=');
  else return (run) => run.declare(name, undefined);
  const value = readExpression(reader);
  return (run) => {
    if (isLocal) run.declare(name, value(run));
    else run.assign(name, value(run));
  };
}

function readFor(reader: TokenReader): Statement {
  const first = reader.name();
  if (reader.accept('=')) return readCount(reader, first);
  const second = reader.accept(',') ? reader.name() : undefined;
  reader.expect('in');
  const iterator = reader.name();
  const entriesOf = ITERATORS.get(iterator);
  if (entriesOf === undefined) {
    throw new TemplateError(`"for" goes through ipairs() or pairs(), not ${iterator}()`);
  }
  reader.expect('(');
  const list = readExpression(reader);
  reader.expect(')');
  const block = readLoop(reader);
  return (run) => {
    for (const [key, value] of entriesOf(list(run))) {
      run.scoped(() => {
        run.declare(first, key);
        if (second !== undefined) run.declare(second, value);
        block(run);
      });
    }
  };
}

function readCount(reader: TokenReader, name: string): Statement {
  const from = readExpression(reader);
  reader.expect(',');
  const to = readExpression(reader);
  const step = reader.accept(',') ? readExpression(reader) : (): LuaValue => 1;
  const block = readLoop(reader);
  return (run) => {
    const [start, last, size] = [from, to, step].map((one) => limitOf(one(run)));
    if (start === undefined || last === undefined || size === undefined || size === 0) return;
    for (let at = start; size > 0 ? at <= last : at >= last; at += size) {
      run.scoped(() => {
        run.declare(name, at);
        block(run);
      });
    }
  };
}

function readLoop(reader: TokenReader): Statement {
  reader.expect('do');
  const block = readBlock(reader);
  reader.expect('end');
  return (run) => {
    run.step();
    block(run);
  };
}

function limitOf(value: LuaValue): number {
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`"for" counts numbers, not ${typeName(value)}`);
  return number;
}

type Entries = readonly (readonly [LuaValue, LuaValue])[];

const ITERATORS: ReadonlyMap<string, (list: LuaValue) => Entries> = new Map([
  [
    'ipairs',
    (list: LuaValue): Entries => (Array.isArray(list) ? numbered(list) : needTable(list, [])),
  ],
  [
    'pairs',
    (list: LuaValue): Entries =>
      Array.isArray(list) ? numbered(list) : needTable(list, Object.entries(Object(list))),
  ],
]);

function numbered(list: readonly unknown[]): Entries {
  return list.map((value, i) => [i + 1, value] as const);
}

function needTable(value: LuaValue, entries: Entries): Entries {
  if (typeof value === 'object' && value !== null) return entries;
  throw new TemplateError(`a ${typeName(value)} value is no table`);
}
