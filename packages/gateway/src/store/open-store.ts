import { loadedFault, loadedKeyFault } from '../admin/loaded-object.ts';
import type { GatewayOptions } from '../main.ts';
import type { Rules } from '../rules.ts';
import { etcdSettings } from './etcd/etcd-config.ts';
import { openEtcdStore } from './etcd/etcd-store.ts';
import { openJournal } from './journal.ts';
import { openStandalone } from './standalone.ts';
import type { Store } from './store.ts';

/** The store that the configuration names: a file, etcd, or a journal in the data folder. */
export async function openStore(options: GatewayOptions, rules: Rules): Promise<Store> {
  const { environment, warn, standaloneFile: file } = options;
  const { deployment, apisix } = options.config;
  const { seal } = rules;
  if (file !== undefined) {
    return openStandalone(file, { environment, warn, fault: loadedFault.bind(undefined, rules) });
  }
  if (deployment.etcd !== undefined) {
    const settings = etcdSettings(deployment.etcd, apisix.ssl.ssl_trusted_certificate);
    return openEtcdStore(settings, { fault: loadedKeyFault.bind(undefined, rules), warn, seal });
  }
  const store = await openJournal(options.dataFolder, { now: Date.now }, seal);
  const unopened = seal?.unopened() ?? 0;
  if (unopened > 0) {
    warn(`${unopened} secrets cannot be read: no key of apisix.data_encryption.keyring fits`);
  }
  return store;
}
