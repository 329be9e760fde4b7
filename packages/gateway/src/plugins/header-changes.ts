import type { HeaderFields } from '../core/http/header-fields.ts';

type FieldValue = string | number;

export interface HeaderChanges {
  readonly add: Readonly<Record<string, FieldValue>>;
  readonly set: Readonly<Record<string, FieldValue>>;
  readonly remove: readonly string[];
}

const FIELD_NAME = '^[^:]+$';
const VALUE = { oneOf: [{ type: 'string' }, { type: 'number' }] } as const;
const VALUES = {
  type: 'object',
  minProperties: 1,
  additionalProperties: VALUE,
} as const;

/** `headers` of the rewriting plugins: add, set and remove, or the old flat map that sets. */
export const HEADER_CHANGES = {
  anyOf: [
    {
      type: 'object',
      minProperties: 1,
      properties: {
        add: VALUES,
        set: VALUES,
        remove: { type: 'array', minItems: 1, items: { type: 'string', pattern: FIELD_NAME } },
      },
      additionalProperties: false,
    },
    { type: 'object', minProperties: 1, additionalProperties: VALUE },
  ],
} as const;

/** Both spellings as one. In the flat map an empty value removes the field. */
export function headerChanges(given: Readonly<Record<string, unknown>> = {}): HeaderChanges {
  // Checked edge: HEADER_CHANGES has accepted the value.
  if (isNew(given)) return { add: {}, set: {}, remove: [], ...(given as Partial<HeaderChanges>) };
  const flat = Object.entries(given as Readonly<Record<string, FieldValue>>);
  return {
    add: {},
    set: Object.fromEntries(flat.filter(([, value]) => value !== '')),
    remove: flat.filter(([, value]) => value === '').map(([name]) => name),
  };
}

function isNew(given: Readonly<Record<string, unknown>>): boolean {
  return ['add', 'set', 'remove'].some((key) => typeof given[key] === 'object');
}

/** Adds, then sets, then removes; each value passes through `resolve`. */
export function applyHeaderChanges(
  fields: HeaderFields,
  changes: HeaderChanges,
  resolve: (value: string) => string,
): void {
  for (const [name, value] of Object.entries(changes.add)) fields.add(name, resolve(String(value)));
  for (const [name, value] of Object.entries(changes.set)) fields.set(name, resolve(String(value)));
  for (const name of changes.remove) fields.remove(name);
}
