import { CONNECTION } from './field-name.ts';
import type { HeaderFields } from './header-fields.ts';

/** What `Connection` says. */
export interface ConnectionOptions {
  readonly closes: boolean;
  readonly keepsAlive: boolean;
  readonly upgrades: boolean;
  /** Names of fields that are this connection's own, in lower case. */
  readonly fields: readonly string[];
}

const NAMES_NO_FIELD: ReadonlySet<string> = new Set(['close', 'keep-alive', 'upgrade', 'te']);
const SAYS_NOTHING = optionsOf('');
const KEEPS_ALIVE = optionsOf('keep-alive');
const CLOSES = optionsOf('close');

/** The options of `Connection`; of what nearly all messages say they are made once. */
export function connectionOptions(fields: HeaderFields): ConnectionOptions {
  const value = (fields.kinds & CONNECTION) === 0 ? undefined : fields.joined('connection');
  if (value === undefined) return SAYS_NOTHING;
  if (value === 'keep-alive') return KEEPS_ALIVE;
  return value === 'close' ? CLOSES : optionsOf(value);
}

function optionsOf(value: string): ConnectionOptions {
  const options = value
    .toLowerCase()
    .split(',')
    .map((option) => option.trim());
  return {
    closes: options.includes('close'),
    keepsAlive: options.includes('keep-alive'),
    upgrades: options.includes('upgrade'),
    fields: options.filter((option) => option !== '' && !NAMES_NO_FIELD.has(option)),
  };
}
