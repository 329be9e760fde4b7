import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { withValues } from '../params.ts';
import { refusalOf, withoutEnd } from '../sql-guard.ts';
import type { Settings, Statement } from '../sql-store.ts';
import type { FileInsert } from './child-messages.ts';
import type { Engine } from './engine.ts';

const SETTING_NAME = /^[a-z][a-z0-9_]{0,63}$/;
const READ = /^[\s(]*(?:SELECT|WITH|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN)\b/i;
const WITHOUT_SETTINGS = /^\s*(?:SHOW|DESC|DESCRIBE|EXISTS)\b/i;
const NEVER = new AbortController().signal;

/** Runs one statement; what reads is read-only. Rejects with the engine's words, `Code: N. …`. */
export async function runStatement(
  engine: Engine,
  { sql: text, format: wanted, settings, params }: Statement,
  signal: AbortSignal,
): Promise<{ readonly format: string; readonly bytes: Uint8Array }> {
  const isRead = READ.test(text);
  const refusal = refusalOf(text, isRead ? 'read' : 'write');
  if (refusal !== undefined) throw new Error(`Code: 62. ${refusal}`);
  const ending = /\s+FORMAT\s+(\w+)\s*$/i.exec(withoutEnd(text));
  const format = ending?.[1] ?? wanted;
  const asked = ending === null ? withoutEnd(text) : withoutEnd(text).slice(0, ending.index);
  const mark = randomUUID();
  // On its own line: a trailing comment must not swallow the limits.
  const end =
    isRead && !WITHOUT_SETTINGS.test(asked)
      ? settingsOf({ ...settings, readonly: 1, log_comment: mark })
      : `/* ${mark} */`;
  const sql = `${withValues(asked, params)}\n${end}`;
  return { format, bytes: (await engine.run(sql, { format, signal, mark })).bytes() };
}

/**
 * Inserts a file of an allowed directory, and answers its rows. Not killed with its client: half an
 * insert helps nobody, and the token tells a retry.
 */
export async function runInsert(
  engine: Engine,
  { target, format, file, settings }: FileInsert,
  directories: readonly string[],
): Promise<number> {
  const real = allowedFile(file, directories);
  const sql = `INSERT INTO ${target} FROM INFILE '${real}' ${settingsOf(settings)} FORMAT ${format}`;
  return (await engine.run(sql, { format: 'Null', signal: NEVER, mark: real })).rowsRead;
}

/** The file's real path when it lies in an allowed directory; else throws. */
function allowedFile(file: string, directories: readonly string[]): string {
  const real = realpathSync(file);
  const isInside = directories.some((directory) => real.startsWith(directory + sep));
  if (!isInside || /['\\*?{}]/.test(real)) {
    throw new Error(`Code: 291. ${file} is not in a spool directory`);
  }
  return real;
}

function settingsOf(settings: Settings): string {
  const texts = Object.entries(settings).map(([name, value]) => {
    if (!SETTING_NAME.test(name)) throw new Error(`Code: 115. Unknown setting ${name}`);
    const isNumber = /^-?\d+(?:\.\d+)?$/.test(String(value));
    const text = String(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'");
    return `${name} = ${isNumber ? text : `'${text}'`}`;
  });
  return texts.length === 0 ? '' : `SETTINGS ${texts.join(', ')}`;
}

/** What the engine said, without chdb's words around it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error.cause instanceof Error ? error.cause.message : error.message).replace(
    /^Error: /,
    '',
  );
}
