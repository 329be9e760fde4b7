import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Store } from '../store/store.ts';
import type { SslObject } from './objects.ts';

/** The certificates of `ssls` by server name; contexts are made on first use after a change. */
export interface CertificateBook {
  /** Undefined when no certificate is for that name: the handshake then fails. */
  contextFor(serverName: string): SecureContext | undefined;
  changed(): void;
}

interface Served {
  readonly ssl: SslObject;
  context: SecureContext | undefined;
}

export function createCertificateBook(
  store: Store,
  options: SecureContextOptions,
): CertificateBook {
  let byName: ReadonlyMap<string, Served> | undefined;

  function names(): ReadonlyMap<string, Served> {
    if (byName !== undefined) return byName;
    const found = new Map<string, Served>();
    for (const { value } of store.list('/ssls/')) {
      // Checked edge: the Admin API has validated it before it was stored.
      const ssl = value as unknown as SslObject;
      if (ssl.status === 0 || ssl.type === 'client') continue;
      const served: Served = { ssl, context: undefined };
      const snis = ssl.snis ?? (ssl.sni === undefined ? [] : [ssl.sni]);
      for (const sni of snis) found.set(sni.toLowerCase(), served);
    }
    byName = found;
    return found;
  }

  function lookUp(serverName: string): Served | undefined {
    const known = names();
    const name = serverName.toLowerCase();
    const exact = known.get(name);
    if (exact !== undefined) return exact;
    // `*.a.b` stands for one label or more, the longest suffix first.
    for (let at = name.indexOf('.'); at >= 0; at = name.indexOf('.', at + 1)) {
      const wildcard = known.get(`*${name.slice(at)}`);
      if (wildcard !== undefined) return wildcard;
    }
    return known.get('*');
  }

  return {
    changed() {
      byName = undefined;
    },
    contextFor(serverName) {
      const served = lookUp(serverName);
      if (served === undefined) return undefined;
      served.context ??= contextOf(served.ssl, options);
      return served.context;
    },
  };
}

function contextOf(ssl: SslObject, options: SecureContextOptions): SecureContext {
  const versions = ssl.ssl_protocols ?? [];
  return createSecureContext({
    ...options,
    cert: [ssl.cert, ...(ssl.certs ?? [])],
    key: [ssl.key, ...(ssl.keys ?? [])],
    ...(ssl.client?.ca === undefined ? {} : { ca: ssl.client.ca }),
    ...(versions.length === 0 ? {} : versionBounds(versions)),
  });
}

/** The lowest and the highest of the allowed versions. */
export function versionBounds(versions: readonly string[]): SecureContextOptions {
  const known = (['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const).filter((one) =>
    versions.includes(one),
  );
  const [minVersion = 'TLSv1.2'] = known;
  return { minVersion, maxVersion: known.at(-1) ?? 'TLSv1.3' };
}
