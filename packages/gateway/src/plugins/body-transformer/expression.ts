import { FUNCTIONS, type LuaFunction } from './functions.ts';
import { TemplateError } from './lua-tokens.ts';
import {
  isTrue,
  type LuaValue,
  lengthOf,
  memberOf,
  numberOf,
  textOf,
  typeName,
} from './lua-values.ts';
import type { Run } from './run.ts';
import type { TokenReader } from './token-reader.ts';

export type Expression = (run: Run) => LuaValue;
type Binary = (left: Expression, right: Expression) => Expression;

/** From the loosest to the tightest. Source: Lua 5.1 manual §2.5.6. */
const LEVELS: readonly ReadonlyMap<string, Binary>[] = [
  new Map([['or', (a: Expression, b: Expression) => either(a, b, true)]]),
  new Map([['and', (a: Expression, b: Expression) => either(a, b, false)]]),
  new Map<string, Binary>([
    ['==', (a, b) => (run) => a(run) === b(run)],
    ['~=', (a, b) => (run) => a(run) !== b(run)],
    ['<', (a, b) => compared(a, b, (order) => order < 0)],
    ['<=', (a, b) => compared(a, b, (order) => order <= 0)],
    ['>', (a, b) => compared(a, b, (order) => order > 0)],
    ['>=', (a, b) => compared(a, b, (order) => order >= 0)],
  ]),
  new Map<string, Binary>([['..', (a, b) => (run) => glued(a(run)) + glued(b(run))]]),
  new Map<string, Binary>([
    ['+', (a, b) => (run) => number(a(run)) + number(b(run))],
    ['-', (a, b) => (run) => number(a(run)) - number(b(run))],
  ]),
  new Map<string, Binary>([
    ['*', (a, b) => (run) => number(a(run)) * number(b(run))],
    ['/', (a, b) => (run) => number(a(run)) / number(b(run))],
    ['%', (a, b) => (run) => modulo(number(a(run)), number(b(run)))],
  ]),
];
const CONCATENATION = 3;

/** Reads one expression. What a template may not do is refused here, before it is ever run. */
export function readExpression(reader: TokenReader): Expression {
  return reader.nested(() => readLevel(reader, 0));
}

function readLevel(reader: TokenReader, level: number): Expression {
  const operators = LEVELS[level];
  if (operators === undefined) return readUnary(reader);
  let left = readLevel(reader, level + 1);
  for (;;) {
    const { kind, text } = reader.peek();
    const make = kind === 'sign' || kind === 'word' ? operators.get(text) : undefined;
    if (make === undefined) return left;
    reader.next();
    // Two texts are joined from the right; the order changes nothing but the depth.
    const right =
      level === CONCATENATION
        ? reader.nested(() => readLevel(reader, level))
        : readLevel(reader, level + 1);
    left = make(left, right);
  }
}

function readUnary(reader: TokenReader): Expression {
  for (const [sign, make] of UNARY) {
    if (!reader.accept(sign)) continue;
    const operand = reader.nested(() => readUnary(reader));
    return (run) => make(operand(run));
  }
  const base = readSuffixed(reader);
  if (!reader.accept('^')) return base;
  const power = reader.nested(() => readUnary(reader));
  return (run) => number(base(run)) ** number(power(run));
}

const UNARY: readonly (readonly [string, (value: LuaValue) => LuaValue])[] = [
  ['not', (value) => !isTrue(value)],
  ['#', lengthOf],
  ['-', (value) => -number(value)],
];

/** A value and what is asked of it: `.name`, `[key]`, `:name()`, or a call of a known function. */
function readSuffixed(reader: TokenReader): Expression {
  const { kind, text } = reader.peek();
  // The name as it is written, as long as it can be one of a function.
  let path = kind === 'name' ? text : undefined;
  let value = readPrimary(reader);
  for (;;) {
    if (reader.accept('.')) {
      const key = reader.name();
      if (path !== undefined) path += `.${key}`;
      value = indexed(value, () => key);
    } else if (reader.accept('[')) {
      const key = readExpression(reader);
      reader.expect(']');
      path = undefined;
      value = indexed(value, key);
    } else if (reader.accept(':')) {
      value = called(`string.${reader.name()}`, [value, ...readArguments(reader)]);
      path = undefined;
    } else if (isCall(reader)) {
      value = called(path ?? 'a value', readArguments(reader));
      path = undefined;
    } else return value;
  }
}

function indexed(object: Expression, key: Expression): Expression {
  return (run) => memberOf(object(run), key(run));
}

function called(name: string, values: readonly Expression[]): Expression {
  const known: LuaFunction | undefined = FUNCTIONS.get(name);
  if (known === undefined) {
    throw new TemplateError(
      `"${name}" cannot be called: templates are not run as Lua here, they may call ${[...FUNCTIONS.keys()].join(', ')}`,
    );
  }
  return (run) => {
    run.step();
    return known(values.map((value) => value(run)));
  };
}

function isCall(reader: TokenReader): boolean {
  const { kind, text } = reader.peek();
  return kind === 'string' || (kind === 'sign' && (text === '(' || text === '{'));
}

function readArguments(reader: TokenReader): readonly Expression[] {
  const first = reader.next();
  if (first.kind === 'string') return [() => first.text];
  if (first.text !== '(') throw new TemplateError(`unexpected "${first.text}"`);
  if (reader.accept(')')) return [];
  const values = [readExpression(reader)];
  while (reader.accept(',')) values.push(readExpression(reader));
  reader.expect(')');
  return values;
}

function readPrimary(reader: TokenReader): Expression {
  const { kind, text } = reader.next();
  if (kind === 'name') return (run) => run.read(text);
  if (kind === 'string') return () => text;
  if (kind === 'number') {
    const value = Number(text);
    return () => value;
  }
  if (text === '(' && kind === 'sign') {
    const inner = readExpression(reader);
    reader.expect(')');
    return inner;
  }
  if (kind === 'word' && Object.hasOwn(CONSTANTS, text)) {
    const value = CONSTANTS[text];
    return () => value;
  }
  throw new TemplateError(`unexpected "${text}"`);
}

const CONSTANTS: Readonly<Record<string, LuaValue>> = { nil: undefined, true: true, false: false };

function either(left: Expression, right: Expression, isOr: boolean): Expression {
  return (run) => {
    const value = left(run);
    return isTrue(value) === isOr ? value : right(run);
  };
}

function compared(
  left: Expression,
  right: Expression,
  holds: (order: number) => boolean,
): Expression {
  return (run) => {
    const [a, b] = [left(run), right(run)];
    if (typeof a === 'number' && typeof b === 'number') return holds(a - b);
    if (typeof a === 'string' && typeof b === 'string') return holds(a < b ? -1 : a > b ? 1 : 0);
    throw new TemplateError(`attempt to compare ${typeName(a)} with ${typeName(b)}`);
  };
}

function number(value: LuaValue): number {
  const found = numberOf(value);
  if (found !== undefined) return found;
  throw new TemplateError(`attempt to perform arithmetic on a ${typeName(value)} value`);
}

function modulo(a: number, b: number): number {
  return a - Math.floor(a / b) * b;
}

function glued(value: LuaValue): string {
  if (typeof value === 'string' || typeof value === 'number') return textOf(value);
  throw new TemplateError(`attempt to concatenate a ${typeName(value)} value`);
}
