/** How messages are shown as JSON: the values of `pb_option`, which are lua-protobuf's. */
export const MESSAGE_OPTIONS = [
  ...['enum_as_name', 'enum_as_value', 'int64_as_number', 'int64_as_string', 'int64_as_hexstring'],
  ...['auto_default_values', 'no_default_values', 'use_default_values', 'use_default_metatable'],
  ...['enable_hooks', 'disable_hooks'],
] as const;

export interface MessageOptions {
  readonly enums: 'name' | 'value';
  readonly longs: 'number' | 'string' | 'hexstring';
  /** `auto`: for proto3 only. */
  readonly defaults: 'auto' | 'always' | 'never';
}

/** Of two that exclude each other the later one stands. */
export function messageOptions(given: readonly (typeof MESSAGE_OPTIONS)[number][]): MessageOptions {
  let options: MessageOptions = { enums: 'name', longs: 'number', defaults: 'auto' };
  for (const option of given) options = { ...options, ...CHANGES[option] };
  return options;
}

/** Hooks are Lua's, and a metatable's defaults cannot be seen in JSON. */
const CHANGES: Readonly<Record<(typeof MESSAGE_OPTIONS)[number], Partial<MessageOptions>>> = {
  enum_as_name: { enums: 'name' },
  enum_as_value: { enums: 'value' },
  int64_as_number: { longs: 'number' },
  int64_as_string: { longs: 'string' },
  int64_as_hexstring: { longs: 'hexstring' },
  auto_default_values: { defaults: 'auto' },
  no_default_values: { defaults: 'never' },
  use_default_values: { defaults: 'always' },
  use_default_metatable: { defaults: 'never' },
  enable_hooks: {},
  disable_hooks: {},
};
