type FieldValue = string | number;

/** Changes of an answer's fields: name and value each, values with `$variables`. */
export interface ResponseFieldChanges {
  readonly add: readonly (readonly [string, string])[];
  readonly set: readonly (readonly [string, string])[];
  readonly remove: readonly string[];
}

/** `headers` of response-rewrite: add, set and remove, or the old flat map that sets. */
export const RESPONSE_FIELDS = {
  anyOf: [
    {
      type: 'object',
      minProperties: 1,
      properties: {
        add: {
          type: 'array',
          minItems: 1,
          description: 'each `Name: value`',
          items: { type: 'string', pattern: '^[^:]+:[^:]*[^/]$' },
        },
        set: {
          type: 'object',
          minProperties: 1,
          additionalProperties: { oneOf: [{ type: 'string' }, { type: 'number' }] },
        },
        remove: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^[^:]+$' } },
      },
      additionalProperties: false,
    },
    { type: 'object', minProperties: 1 },
  ],
} as const;

/** What the schema leaves open: each name must be one, or the answer would be another. */
export function fieldFault(given: Readonly<Record<string, unknown>>): string | undefined {
  const isNew = isStructured(given);
  const { add, set = {} } = given;
  const added = isNew && Array.isArray(add) ? add.map(String) : [];
  const entries = Object.entries((isNew ? set : given) as Readonly<Record<string, unknown>>);
  if (entries.some(([name]) => name === '')) return 'invalid field length in header';
  if (entries.some(([, value]) => typeof value !== 'string' && typeof value !== 'number')) {
    return 'invalid type as header value';
  }
  const line = added.find((one) => !one.includes(':'));
  if (line !== undefined) return `invalid header "${line}": it is written as name: value`;
  const names = [...added.map((one) => nameAndValue(one)[0]), ...entries.map(([name]) => name)];
  const odd = names.find((name) => !/^[!#$%&'*+.^_`|~\w-]+$/.test(name));
  return odd === undefined ? undefined : `invalid field name "${odd}"`;
}

/** Both spellings as one. In the flat map an empty value removes the field. */
export function fieldChanges(given: Readonly<Record<string, unknown>> = {}): ResponseFieldChanges {
  // Checked edge: RESPONSE_FIELDS and `fieldFault` have accepted the value.
  if (isStructured(given)) {
    const {
      add = [],
      set = {},
      remove = [],
    } = given as {
      readonly add?: readonly string[];
      readonly set?: Readonly<Record<string, FieldValue>>;
      readonly remove?: readonly string[];
    };
    return { add: add.map(nameAndValue), set: texts(set), remove };
  }
  const flat = texts(given as Readonly<Record<string, FieldValue>>);
  return {
    add: [],
    set: flat.filter(([, value]) => value !== ''),
    remove: flat.filter(([, value]) => value === '').map(([name]) => name),
  };
}

function texts(map: Readonly<Record<string, FieldValue>>): readonly (readonly [string, string])[] {
  return Object.entries(map).map(([name, value]) => [name, String(value)] as const);
}

function nameAndValue(line: string): readonly [string, string] {
  const at = line.indexOf(':');
  return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

function isStructured(given: Readonly<Record<string, unknown>>): boolean {
  return ['add', 'set', 'remove'].some((key) => typeof given[key] === 'object');
}
