import { z } from 'zod';
import { isSecret, metadataOf } from './settings.ts';

/** The settings of one process, as their reference page shows them. */
export interface SettingsPart {
  readonly name: string;
  /** Of its names in the environment. */
  readonly prefix: string;
  readonly schema: z.ZodObject;
}

const INTRO = `Generated from the declarations in \`packages/agent/src/config.ts\` and
\`packages/server/src/config.ts\`.

A file for \`--config\` is YAML or JSON and holds a map for each part:

\`\`\`yaml
agent:
  server_url: http://127.0.0.1:20416
  ports: [8080, 8443]
server:
  data_dir: /var/lib/thalweg/data
\`\`\`

For \`thalweg agent\` or \`thalweg server\` the keys of that part alone will do, without the map around
them. The environment wins over the file and options win over both. A list in the environment is
written with commas, a map as \`name=number,name=number\`; a variable that is empty is not given.
\`thalweg config\` prints what is in force, and where each value came from.`;

/** The reference page of the settings, in Markdown. */
export function settingsPage(parts: readonly SettingsPart[]): string {
  return `${['# Settings', INTRO, ...parts.map(partSection)].join('\n\n')}\n`;
}

interface JsonProperty {
  readonly type?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly default?: unknown;
  readonly anyOf?: readonly {
    readonly type?: string;
    readonly items?: { readonly type?: string };
    readonly const?: string;
  }[];
}

function partSection({ name, prefix, schema }: SettingsPart): string {
  const { properties } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const shapes = (properties ?? {}) as Readonly<Record<string, JsonProperty>>; // As zod declares them.
  const rows = Object.entries(schema.shape).map(([key, field]) => {
    const doc = String(metadataOf(field)['description'] ?? '');
    const secret = isSecret(schema, key) ? ' Never printed.' : '';
    const shape = shapes[key] ?? {};
    const cells = [`\`${key}\``, kindOf(shape), defaultOf(schema, key, shape), doc + secret];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    `## ${name}`,
    '',
    `In the environment: \`${prefix}\` and the key in capitals.`,
    '',
    '| key | value | default | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function kindOf({ type, format, minimum, maximum, minLength, anyOf }: JsonProperty): string {
  if (anyOf?.some((one) => one.type === 'object') === true) return 'map of tables to numbers';
  if (anyOf !== undefined) {
    const word = anyOf.find((one) => one.const !== undefined)?.const;
    if (word !== undefined) return `whole number or ${word}`;
    const item = anyOf.find(({ items }) => items !== undefined)?.items?.type ?? 'string';
    return `list of ${item === 'string' ? 'texts' : 'numbers'}`;
  }
  if (type === 'integer' || type === 'number') {
    const [least, most] = [figure(minimum ?? 0), figure(maximum ?? Number.MAX_SAFE_INTEGER)];
    return most === '' ? `number, from ${least}` : `number, ${least} to ${most}`;
  }
  if (format === 'uri') return 'URL';
  if (type === 'string')
    return (minLength ?? 0) > 1 ? `text, from ${minLength} characters` : 'text';
  return type ?? 'any';
}

function figure(value: number): string {
  return value === Number.MAX_SAFE_INTEGER ? '' : value.toLocaleString('en-US');
}

/** A default that differs from machine to machine says so in its metadata. */
function defaultOf(schema: z.ZodObject, key: string, shape: JsonProperty): string {
  const told = metadataOf(schema.shape[key])['defaultDoc'];
  if (typeof told === 'string') return told;
  const parsed: unknown = shape.default ?? schema.partial().safeParse({}).data?.[key];
  if (parsed === undefined) return '';
  if (typeof parsed === 'number') return figure(parsed);
  if (!Array.isArray(parsed)) return `\`${String(parsed)}\``;
  return parsed.length === 0 ? 'empty' : parsed.map((item) => `\`${String(item)}\``).join(' ');
}
