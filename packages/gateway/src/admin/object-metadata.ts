/** An object's id: a text of a path's segment, or a number. Source: ../shared/reference/apisix.md §1.2. */
export const ID = {
  anyOf: [
    { type: 'string', minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-_.]+$' },
    { type: 'integer', minimum: 1 },
  ],
} as const;

/** What objects of every kind may have. */
export const METADATA = {
  id: ID,
  name: { type: 'string', minLength: 1, maxLength: 256 },
  desc: { type: 'string', maxLength: 256 },
  labels: {
    type: 'object',
    patternProperties: {
      '.*': { type: 'string', pattern: '^\\S+$', minLength: 1, maxLength: 256 },
    },
  },
  create_time: { type: 'integer' },
  update_time: { type: 'integer' },
} as const;
