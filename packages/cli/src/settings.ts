import { readFileSync } from 'node:fs';
import { parseSettings } from '@thalweg/model';
import type { z } from 'zod';
import { CliError } from './cli-error.ts';

/**
 * Settings of one part, from `--config FILE`, the environment and the command line, which wins. A
 * file may hold one part's keys, or a map `{agent: …, server: …}` for `up` and `demo`. Throws
 * `CliError` that names every mistake.
 */
export function readSettings<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  options: {
    readonly part: 'agent' | 'server';
    readonly prefix: string;
    readonly file: string | undefined;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly overrides: Readonly<Record<string, unknown>>;
  },
): z.infer<z.ZodObject<Shape>> {
  const { part, prefix, file, environment, overrides } = options;
  const given = file === undefined ? {} : partOf(readJson(file), part);
  const result = parseSettings(schema, { given, environment, prefix });
  const mistakes = result.kind === 'invalid' ? result.mistakes : [];
  if (mistakes.length > 0) {
    throw new CliError(
      'usage',
      `configuration of the ${part}: ${mistakes.join('; ')}`,
      `correct ${file ?? 'the environment'}`,
    );
  }
  const merged = parseSettings(schema, {
    given: { ...(result.kind === 'valid' ? result.settings : {}), ...defined(overrides) },
    environment: {},
    prefix,
  });
  if (merged.kind === 'valid') return merged.settings;
  throw new CliError('usage', merged.mistakes.join('; '), `see \`thalweg ${part} --help\``);
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError('usage', `configuration ${file}: ${why}`, 'give a readable JSON file', {
      cause,
    });
  }
}

function partOf(given: unknown, part: 'agent' | 'server'): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const keys = Object.keys(given);
  if (!keys.some((key) => key === 'agent' || key === 'server')) return given;
  const unknown = keys.filter((key) => key !== 'agent' && key !== 'server');
  const own = (given as Readonly<Record<string, unknown>>)[part] ?? {}; // An object, checked above.
  if (typeof own !== 'object' || unknown.length === 0) return own;
  return { ...own, ...Object.fromEntries(unknown.map((key) => [key, undefined])) };
}

function defined(overrides: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
}
