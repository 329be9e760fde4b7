import type { PluginConfs } from './objects.ts';

/** Who a request was made by, as an authentication plugin found it. */
export interface Consumer {
  readonly username: string;
  readonly groupId: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly plugins: PluginConfs;
}

/** One set of authentication data: of the consumer itself, or of one of its credentials. */
export interface Credential {
  readonly consumer: Consumer;
  /** Undefined when the data stands in the consumer's own `plugins`. */
  readonly credentialId: string | undefined;
  /** What the consumer or the credential holds for the plugin that looked it up. */
  readonly conf: Readonly<Record<string, unknown>>;
}

export interface ConsumerBook {
  /** The credential whose `field` of `plugin` has this value; undefined when there is none. */
  find(plugin: string, field: string, value: string): Credential | undefined;
  byName(username: string): Consumer | undefined;
}
