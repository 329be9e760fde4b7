import { isPlural, parseJsonPath, valuesAt } from '../core/json-path.ts';
import { compilePattern, type Pattern } from '../core/match/pattern.ts';
import { messageAnswer, type RequestContext } from '../core/request-context.ts';
import { definePlugin } from './plugin.ts';

type Labels = Readonly<Record<string, unknown>>;
type Parser = 'segmented_text' | 'json' | 'table';

interface Acl {
  readonly allow_labels?: Readonly<Record<string, readonly string[]>>;
  readonly deny_labels?: Readonly<Record<string, readonly string[]>>;
  readonly rejected_code: number;
  readonly rejected_msg?: string;
  readonly external_user_label_field: string;
  readonly external_user_label_field_key?: string;
  readonly external_user_label_field_parser?: Parser;
  readonly external_user_label_field_separator?: string;
}

const LABELS = {
  type: 'object',
  minProperties: 1,
  additionalProperties: { type: 'array', minItems: 1, items: { type: 'string' } },
} as const;

/** Lets in or keeps out by labels of the consumer, or of the user that a provider has told of. */
export const acl = definePlugin<Acl>({
  name: 'acl',
  priority: 2410,
  summary: 'Lets in or keeps out by labels of the consumer.',
  example: { allow_labels: { team: ['platform', 'infra'] } },
  notes: [
    'The user from elsewhere whom `external_user_label_field` looks into is who `openid-connect` found: the claims of the token.',
  ],
  schema: {
    type: 'object',
    properties: {
      allow_labels: { ...LABELS, description: 'label to values, one of which lets in' },
      deny_labels: {
        ...LABELS,
        description: 'label to values, each of which keeps out; goes first',
      },
      rejected_code: { type: 'integer', minimum: 200, default: 403 },
      rejected_msg: { type: 'string' },
      external_user_label_field: {
        type: 'string',
        minLength: 1,
        default: 'groups',
        description: 'name or JSONPath of the field of a user from elsewhere',
      },
      external_user_label_field_key: {
        type: 'string',
        minLength: 1,
        description: 'the label that it stands for; its own name unless given',
      },
      external_user_label_field_parser: {
        type: 'string',
        enum: ['segmented_text', 'json', 'table'],
        description: 'by the looks of the value unless given',
      },
      external_user_label_field_separator: {
        type: 'string',
        minLength: 1,
        description: 'regular expression between the parts of `segmented_text`',
      },
    },
    anyOf: [{ required: ['allow_labels'] }, { required: ['deny_labels'] }],
    if: {
      properties: { external_user_label_field_parser: { const: 'segmented_text' } },
      required: ['external_user_label_field_parser'],
    },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['external_user_label_field_separator'] },
  },
  check({ external_user_label_field, external_user_label_field_separator: separator }) {
    if (parseJsonPath(external_user_label_field) === undefined) {
      return `invalid external_user_label_field: ${external_user_label_field}`;
    }
    const pattern = compilePattern(separator ?? '');
    return pattern.kind === 'invalid' ? pattern.reason : undefined;
  },
  create(conf) {
    const allowed = setsOf(conf.allow_labels);
    const denied = setsOf(conf.deny_labels) ?? [];
    const externalLabels = externalReader(conf);
    const forbidden = messageAnswer(
      conf.rejected_code,
      conf.rejected_msg ?? 'The consumer is forbidden.',
    );
    const unknown = messageAnswer(401, 'Missing authentication or identity verification.');

    return {
      access({ consumer, externalUser }) {
        const labels =
          consumer?.labels ??
          (externalUser === undefined ? undefined : externalLabels(externalUser));
        if (labels === undefined) return unknown;
        const holds = ([label, values]: LabelSet): boolean =>
          valuesOf(labels[label]).some((value) => values.has(value));
        if (denied.some(holds)) return forbidden;
        return allowed === undefined || allowed.some(holds) ? undefined : forbidden;
      },
    };
  },
});

type LabelSet = readonly [string, ReadonlySet<string>];

function setsOf(labels: Acl['allow_labels']): readonly LabelSet[] | undefined {
  if (labels === undefined) return undefined;
  return Object.entries(labels).map(([label, values]) => [label, new Set(values)] as const);
}

/** The one label that the configured field of a user makes. */
function externalReader(conf: Acl): (user: NonNullable<RequestContext['externalUser']>) => Labels {
  const { external_user_label_field: field, external_user_label_field_parser: parser } = conf;
  const path = parseJsonPath(field) ?? [];
  const label = conf.external_user_label_field_key ?? field;
  const separator = compilePattern(conf.external_user_label_field_separator ?? ',');
  return (user) => {
    const found = valuesAt(user, path);
    const value = isPlural(path) ? found.flat() : found[0];
    const isText = typeof value === 'string';
    if (parser === 'segmented_text' || (parser === undefined && isText && !isList(value))) {
      const isSplit = isText && separator.kind === 'pattern';
      return { [label]: isSplit ? split(value, separator) : [] };
    }
    return { [label]: parser === 'table' && isText ? [] : value };
  };
}

function split(text: string, separator: Pattern): readonly string[] {
  const parts: string[] = [];
  let rest = text;
  for (let found = separator.find(rest); found !== undefined; found = separator.find(rest)) {
    if (found.end === 0) break;
    parts.push(rest.slice(0, found.start));
    rest = rest.slice(found.end);
  }
  return [...parts, rest].map((part) => part.trim());
}

function isList(text: string): boolean {
  return text.trimStart().startsWith('[');
}

/** A list, a list in JSON, or texts with commas between. */
function valuesOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== 'string')
    return value === undefined || value === null ? [] : [String(value)];
  if (isList(value)) {
    try {
      const parsed: unknown = JSON.parse(value);
      if (Array.isArray(parsed)) return parsed.map(String);
    } catch {
      // No JSON: a text that begins so.
    }
  }
  return value.split(',').map((part) => part.trim());
}
