/** A host name or address, or a wildcard over names. */
export const HOST = { type: 'string', pattern: '^\\*?[0-9a-zA-Z-._\\[\\]:]+$' } as const;

/** An address or a CIDR range by its shape; whether it is one `parseIpRanges` says. */
export const ADDRESS = {
  type: 'string',
  anyOf: [
    { pattern: '^([0-9]{1,3}\\.){3}[0-9]{1,3}(/([12]?[0-9]|3[0-2]))?$' },
    {
      pattern:
        '^([a-fA-F0-9]{0,4}:){1,8}(:[a-fA-F0-9]{0,4}){0,8}([a-fA-F0-9]{0,4})?(/[0-9]{1,3})?$',
    },
  ],
} as const;
