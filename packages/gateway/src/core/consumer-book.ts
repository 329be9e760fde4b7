import type { Store } from '../store/store.ts';
import type { Consumer, ConsumerBook, Credential } from './consumer.ts';
import type { ConsumerObject, PluginConf, PluginsObject } from './objects.ts';

/** Consumers by name and by what they authenticate with; made anew after a change, on first use. */
export interface ConsumerDirectory extends ConsumerBook {
  changed(): void;
}

export function createConsumerDirectory(
  store: Store,
  readSecret: (plugin: string, conf: PluginConf) => PluginConf,
): ConsumerDirectory {
  let byName: ReadonlyMap<string, Consumer> | undefined;
  let credentials = new Map<string, Credential[]>();
  let indexes = new Map<string, Map<string, Credential>>();

  function consumers(): ReadonlyMap<string, Consumer> {
    if (byName !== undefined) return byName;
    const found = new Map<string, Consumer>();
    credentials = new Map();
    indexes = new Map();
    for (const { key, value } of store.list('/consumers/')) {
      const [, , username = '', kind, id] = key.split('/');
      if (kind === undefined) {
        // Checked edge: the Admin API has validated it before it was stored.
        const consumer = consumerOf(value as unknown as ConsumerObject);
        found.set(username, consumer);
        remember(consumer, undefined, consumer.plugins);
      } else if (id !== undefined) {
        const consumer = found.get(username);
        const { plugins } = value as PluginsObject;
        if (consumer !== undefined) remember(consumer, id, plugins ?? {});
      }
    }
    byName = found;
    return found;
  }

  function remember(
    consumer: Consumer,
    credentialId: string | undefined,
    plugins: Consumer['plugins'],
  ): void {
    for (const [plugin, conf] of Object.entries(plugins)) {
      const list = credentials.get(plugin) ?? [];
      list.push({ consumer, credentialId, conf: readSecret(plugin, conf) });
      credentials.set(plugin, list);
    }
  }

  function indexOf(plugin: string, field: string): Map<string, Credential> {
    const key = `${plugin} ${field}`;
    const known = indexes.get(key);
    if (known !== undefined) return known;
    const made = new Map<string, Credential>();
    for (const credential of credentials.get(plugin) ?? []) {
      const value = credential.conf[field];
      if (typeof value === 'string' && !made.has(value)) made.set(value, credential);
    }
    indexes.set(key, made);
    return made;
  }

  return {
    byName: (username) => consumers().get(username),
    find(plugin, field, value) {
      consumers();
      return indexOf(plugin, field).get(value);
    },
    changed() {
      byName = undefined;
    },
  };
}

function consumerOf({ username, group_id, labels, plugins }: ConsumerObject): Consumer {
  return {
    username,
    groupId: group_id === undefined ? undefined : String(group_id),
    labels: labels ?? {},
    plugins: plugins ?? {},
  };
}
