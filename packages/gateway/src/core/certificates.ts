import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Store } from '../store/store.ts';
import { type Pattern, patternsOf } from './match/pattern.ts';
import type { SslObject } from './objects.ts';
import { type ReferenceReader, resolvedConf } from './references.ts';
import type { Peer, RequestContext } from './request-context.ts';

/** The certificates of `ssls` by server name; contexts are made on first use after a change. */
export interface CertificateBook {
  /** Undefined when no certificate is for that name: the handshake then fails. */
  contextFor(serverName: string): SecureContext | undefined;
  changed(): void;
  /** Some SSL object wants certificates of clients. */
  asksClients(): boolean;
  /**
   * Whether the connection may stand after its handshake: a version that the SSL object allows, and
   * a client that it knows, unless some paths are open to everyone.
   */
  admitsPeer(peer: Peer): boolean;
  /**
   * Whether the request may go on: where its Host belongs to an SSL object with a client CA, the
   * handshake must have been for that name and have shown a certificate of that CA.
   */
  admitsRequest(context: RequestContext): boolean;
}

interface Served {
  readonly ssl: SslObject;
  readonly open: readonly Pattern[];
  context: SecureContext | undefined;
}

export function createCertificateBook(
  store: Store,
  options: SecureContextOptions,
  fallbackName: string | undefined,
  read: ReferenceReader,
): CertificateBook {
  let asks = false;
  let byName: ReadonlyMap<string, Served> | undefined;

  function names(): ReadonlyMap<string, Served> {
    if (byName !== undefined) return byName;
    const found = new Map<string, Served>();
    asks = false;
    for (const { value } of store.list('/ssls/')) {
      // Checked edge: the Admin API has validated it before it was stored.
      const ssl = resolvedConf(value, read) as unknown as SslObject;
      if (ssl.status === 0 || ssl.type === 'client') continue;
      const open = patternsOf(ssl.client?.skip_mtls_uri_regex ?? []);
      const served: Served = { ssl, open, context: undefined };
      if (ssl.client !== undefined) asks = true;
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
      const served = lookUp(serverName === '' ? (fallbackName ?? '') : serverName);
      if (served === undefined) return undefined;
      served.context ??= contextOf(served.ssl, options);
      return served.context;
    },
    asksClients() {
      names();
      return asks;
    },
    admitsPeer(peer) {
      const served = lookUp(peer.serverName ?? fallbackName ?? '');
      if (served === undefined) return false;
      const { ssl_protocols: versions = [] } = served.ssl;
      if (versions.length > 0 && !versions.includes(peer.tlsVersion ?? '')) return false;
      return served.open.length > 0 || isKnown(peer, served.ssl);
    },
    admitsRequest({ host, path, peer }) {
      const served = lookUp(host);
      if (served?.ssl.client === undefined) return true;
      if (served.open.some((pattern) => pattern.test(path))) return true;
      return (peer.serverName ?? fallbackName)?.toLowerCase() === host && isKnown(peer, served.ssl);
    },
  };
}

/** Depth counts as OpenSSL does: intermediate certificates, without the client's and the CA's own. */
function isKnown({ clientChain }: Peer, { client }: SslObject): boolean {
  if (client === undefined) return true;
  return clientChain?.isTrusted === true && clientChain.intermediates <= (client.depth ?? 1);
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
