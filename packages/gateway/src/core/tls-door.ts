import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  createServer,
  type DetailedPeerCertificate,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls';
import type { CertificateBook } from './certificates.ts';
import type { ProxiedEnds } from './proxy-header.ts';
import type { ClientChain } from './request-context.ts';

export type TlsSettings = Pick<SecureContextOptions, 'minVersion' | 'maxVersion' | 'ciphers'>;

/** What the handshake has shown. */
export interface Handshake {
  readonly serverName: string | undefined;
  readonly tlsVersion: string | undefined;
  readonly clientChain: ClientChain | undefined;
  readonly isHttp2: boolean;
}

/** Where accepted sockets become secured ones. */
export interface TlsDoor {
  /** `protocols` are those of ALPN that are offered; of none, ALPN is not spoken. */
  take(socket: Socket, ends: ProxiedEnds | undefined, protocols: readonly string[]): void;
}

/** Issuers followed at most: a chain could point at itself. */
const CHAIN_LENGTH_MAX = 16;

/**
 * Handshakes with the certificates of `ssls`. While an SSL object names a client CA, every client is
 * asked for a certificate, since it must be asked before its server name counts; whether it needed one
 * is the certificate book's to say. Such sessions are not resumed: a session of one name would
 * otherwise stand for a certificate that another name's CA has never seen.
 */
export function createTlsDoor(
  certificates: CertificateBook,
  settings: TlsSettings,
  enter: (socket: TLSSocket, ends: ProxiedEnds | undefined, facts: Handshake) => void,
): TlsDoor {
  const servers = new Map<string, Server>();

  function server(protocols: readonly string[], asksClient: boolean): Server {
    const key = `${protocols.join()} ${asksClient}`;
    const known = servers.get(key) ?? open(protocols, asksClient);
    servers.set(key, known);
    return known;
  }

  function open(protocols: readonly string[], asksClient: boolean): Server {
    return createServer(
      {
        ...settings,
        ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] }),
        requestCert: asksClient,
        rejectUnauthorized: false,
        ...(asksClient ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
        SNICallback: (name, done) => {
          const context = contextOf(certificates, name);
          if (context === undefined) done(new Error(`no certificate for "${name}"`));
          else done(null, context);
        },
      },
      (socket) => {
        const facts = {
          serverName: serverNameOf(socket),
          tlsVersion: socket.getProtocol() ?? undefined,
          clientChain: asksClient ? chainOf(socket) : undefined,
          isHttp2: socket.alpnProtocol === 'h2',
        };
        enter(socket, endsOf(socket), facts);
      },
    ).on('tlsClientError', (_error, socket) => socket.destroy());
  }

  /** The ends are remembered under both ports of the raw connection, which the secured one shows too. */
  const byPorts = new Map<string, ProxiedEnds>();
  function endsOf(socket: TLSSocket): ProxiedEnds | undefined {
    return byPorts.get(portsOf(socket));
  }

  return {
    take(socket, ends, protocols) {
      if (ends !== undefined) {
        const key = portsOf(socket);
        byPorts.set(key, ends);
        socket.once('close', () => byPorts.delete(key));
      }
      server(protocols, certificates.asksClients()).emit('connection', socket);
    },
  };
}

/** A PEM text that cannot be used ends this handshake only. */
function contextOf(certificates: CertificateBook, name: string): SecureContext | undefined {
  try {
    return certificates.contextFor(name);
  } catch {
    return undefined;
  }
}

function portsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function chainOf(socket: TLSSocket): ClientChain | undefined {
  const own: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  if (own?.raw === undefined) return undefined;
  let length = 1;
  for (let at = own; length < CHAIN_LENGTH_MAX; length++) {
    const { issuerCertificate: issuer } = at;
    if (issuer?.raw === undefined || issuer.raw.equals(at.raw)) break;
    at = issuer;
  }
  return {
    isTrusted: socket.authorized && !socket.isSessionReused(),
    intermediates: Math.max(0, length - 2),
  };
}

/** Node has the name on the socket, and its types do not say so. */
function serverNameOf(socket: TLSSocket): string | undefined {
  if (!('servername' in socket)) return undefined;
  return typeof socket.servername === 'string' ? socket.servername : undefined;
}
