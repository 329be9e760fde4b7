import { isSecret } from '@thalweg/model';
import { alignedLines } from '../aligned.ts';
import { type Command, JSON_OPTION } from '../command.ts';
import { bothSettings } from '../settings.ts';
import { AGENT_OPTIONS } from './agent-part.ts';
import { SERVER_OPTIONS } from './server-part.ts';

/** Stands for a secret that is set: that it is there is worth knowing, what it is nobody's. */
const HIDDEN = '(set, not shown)';

export const config: Command = {
  name: 'config',
  summary: 'Checks the settings and prints each in force, and where it came from.',
  positionals: [],
  options: { json: JSON_OPTION, ...AGENT_OPTIONS, ...SERVER_OPTIONS },
  examples: ['thalweg config --config thalweg.yaml', 'thalweg config --json'],
  async run(context) {
    const { values, terminal } = context;
    const parts = bothSettings(context).parts.map(({ name, schema, settings, origins }) => ({
      name,
      rows: Object.keys(schema.shape).map((key) => ({
        key,
        value: shown(Reflect.get(settings, key), isSecret(schema, key)),
        from: origins[key] ?? 'default',
      })),
    }));
    if (values.flag('json')) {
      const entries = parts.map(({ name, rows }) => [
        name,
        Object.fromEntries(rows.map(({ key, value, from }) => [key, { value, from }])),
      ]);
      terminal.print(JSON.stringify(Object.fromEntries(entries)));
      return;
    }
    for (const { name, rows } of parts) {
      terminal.print(terminal.paint('bold', name));
      const cells = rows.map(({ key, value, from }) => [`  ${key}`, textOf(value), from]);
      for (const line of alignedLines(cells)) terminal.print(line);
    }
  },
};

/** A URL may carry a password: that goes too. */
function shown(value: unknown, secret: boolean): unknown {
  if (value === undefined) return null;
  if (secret) return HIDDEN;
  return typeof value === 'string' ? value.replace(/(:\/\/[^/@:]*:)[^/@]*@/, '$1…@') : value;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  if (typeof value !== 'object') return String(value);
  return `{${Object.entries(value)
    .map(([key, one]) => `${key}: ${one}`)
    .join(', ')}}`;
}
