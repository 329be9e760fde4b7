import { TemplateError } from './lua-tokens.ts';
import { isReadable, type LuaValue, memberOf } from './lua-values.ts';

/** Steps of one rendering: a loop in a loop over a body must end. */
const STEPS_MAX = 1_000_000;

/** One rendering under way: its names, what it has written, what it has cost. */
export interface Run {
  read(name: string): LuaValue;
  assign(name: string, value: LuaValue): void;
  declare(name: string, value: LuaValue): void;
  /** `local` names of `inner` end with it. */
  scoped(inner: () => void): void;
  /** Counts; throws `TemplateError` when it is too much. */
  step(): void;
  write(text: string): void;
  written(): string;
}

/** `body` is the decoded body: its members are names of the template, before those of `extras`. */
export function createRun(
  body: LuaValue,
  extras: ReadonlyMap<string, LuaValue>,
  sizeMax: number,
): Run {
  const scopes: Map<string, LuaValue>[] = [new Map()];
  const pieces: string[] = [];
  let size = 0;
  let steps = 0;
  const scopeOf = (name: string): Map<string, LuaValue> | undefined =>
    scopes.findLast((scope) => scope.has(name));

  return {
    read(name) {
      const scope = scopeOf(name);
      if (scope !== undefined) return scope.get(name);
      const own = isReadable(body) ? memberOf(body, name) : undefined;
      return own ?? extras.get(name) ?? own;
    },
    assign(name, value) {
      (scopeOf(name) ?? scopes[0])?.set(name, value);
    },
    declare(name, value) {
      scopes.at(-1)?.set(name, value);
    },
    scoped(inner) {
      scopes.push(new Map());
      inner();
      scopes.pop();
    },
    step() {
      steps += 1;
      if (steps > STEPS_MAX) throw new TemplateError(`more than ${STEPS_MAX} steps`);
    },
    write(text) {
      size += text.length;
      if (size > sizeMax) throw new TemplateError(`more than ${sizeMax} characters`);
      pieces.push(text);
    },
    written: () => pieces.join(''),
  };
}
