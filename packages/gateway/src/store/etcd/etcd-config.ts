import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { type EtcdConfig, GatewayConfigError } from '../../config/config.ts';
import type { EtcdSettings } from './etcd-client.ts';

/** `deployment.etcd` with what its paths name. Throws `GatewayConfigError` for one that cannot be read. */
export function etcdSettings(config: EtcdConfig, trusted: string | undefined): EtcdSettings {
  const { host: hosts, tls, ...rest } = config;
  for (const host of hosts) {
    if (!/^https?:\/\/[^/]+\/?$/.test(host)) {
      throw new GatewayConfigError(
        `deployment.etcd.host: ${host} is not of the form http://host:2379`,
      );
    }
  }
  const { cert, key, verify = true, sni } = tls ?? {};
  return {
    ...rest,
    hosts,
    tls: {
      ca: trusted === undefined ? undefined : trustedCertificates(trusted),
      cert: cert === undefined ? undefined : contentOf(cert, 'deployment.etcd.tls.cert'),
      key: key === undefined ? undefined : contentOf(key, 'deployment.etcd.tls.key'),
      verify,
      sni,
    },
  };
}

/** `system` and paths of PEM files, separated by commas, as `ssl_trusted_certificate` has them. */
function trustedCertificates(given: string): readonly string[] {
  return given
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .flatMap((one) =>
      one === 'system' ? rootCertificates : [contentOf(one, 'apisix.ssl.ssl_trusted_certificate')],
    );
}

function contentOf(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new GatewayConfigError(`${key}: ${path} cannot be read`, { cause });
  }
}
