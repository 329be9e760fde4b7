import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { RetentionChange } from '@thalweg/model';
import { StartError } from '../errors.ts';
import { checkChange, editedChoices, type RetentionChoices } from './retention-choice.ts';

/**
 * What operators changed while the server ran; nothing when there is no file. Throws `StartError`
 * `config_invalid` for a file that was not written by us: to start without it would drop rows that
 * somebody wants kept.
 */
export function readRetentionFile(path: string): RetentionChoices {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { hours: {}, bytes: {} };
    }
    throw error;
  }
  const parsed = RetentionChange.safeParse(jsonOf(text));
  const checked = parsed.success ? checkChange(parsed.data) : undefined;
  if (checked?.kind !== 'valid') {
    const why =
      checked === undefined ? 'not the JSON that it should be' : checked.mistakes.join('; ');
    const fix = 'correct it, or move it away: settings and declarations hold then';
    throw new StartError('config_invalid', `${path}: ${why}`, fix);
  }
  return { hours: editedChoices({}, checked.hours), bytes: editedChoices({}, checked.bytes) };
}

/** Replaces the file as a whole; it is on disk when this returns. */
export function writeRetentionFile(path: string, choices: RetentionChoices): void {
  const next = `${path}.next`;
  const file = openSync(next, 'w', 0o600);
  try {
    writeSync(file, `${JSON.stringify(choices, undefined, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
