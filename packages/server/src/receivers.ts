import { randomBytes } from 'node:crypto';
import {
  createIntegration,
  type HttpListener,
  type Integration,
  listenGrpc,
  listenHttp,
} from '@thalweg/integration';
import type { AnyTable } from '@thalweg/model';
import type { ServerSettings } from './config.ts';
import type { Ingest } from './ingest/index.ts';
import { listenError } from './listen-error.ts';
import { openTlsFiles } from './tls-files.ts';

/** What others send: OTLP and its like, at the server's own port and at OTLP's two. */
export interface Receivers {
  readonly integration: Integration;
  /** Undefined when they are off. */
  readonly otlpHttpUrl: string | undefined;
  readonly otlpGrpcUrl: string | undefined;
  /** Where SkyWalking's agents report to. */
  readonly skywalkingGrpcUrl: string | undefined;
  /** Why rows could not be kept, or a renewed certificate not be used; '' when all is well. */
  lastError(): string;
  /** Ends the listeners, keeps what waits. Idempotent. */
  close(): Promise<void>;
}

const OTLP_GRPC_PORT = 4_317;
const OTLP_HTTP_PORT = 4_318;
const SKYWALKING_GRPC_PORT = 11_800;

/** Rejects with `StartError` when a port is not free or the TLS files cannot be read. */
export async function openReceivers(
  settings: ServerSettings,
  ingest: Ingest,
  hoursOf: (table: AnyTable) => number,
): Promise<Receivers> {
  const { host, token, body_bytes_max: bytesMax } = settings;
  const integration = createIntegration({
    sink: ingest,
    token,
    agent: '',
    instance: randomBytes(4).readUInt32LE(),
    now: Date.now,
    hoursOf,
    limits: { bodyBytesMax: bytesMax },
    hasWriteThread: true,
  });
  const { door, methods } = integration;
  const { accounts } = door;
  const files = openTlsFiles(settings.otlp_tls_cert_file, settings.otlp_tls_key_file);
  const tls = files?.pair;
  const httpPort = portOf(settings.otlp_http_port, settings.port, OTLP_HTTP_PORT);
  const grpcPort = portOf(settings.otlp_grpc_port, settings.port, OTLP_GRPC_PORT);
  const listeners: HttpListener[] = [];
  let tlsError = '';

  async function open(key: string, port: number, listening: Promise<HttpListener>) {
    try {
      const listener = await listening;
      listeners.push(listener);
      return listener.url;
    } catch (cause) {
      for (const listener of listeners) await listener.close();
      throw listenError(cause, { host, port, key });
    }
  }

  const otlpHttpUrl =
    httpPort === undefined
      ? undefined
      : await open(
          'otlp_http_port',
          httpPort,
          listenHttp({ host, port: httpPort, accounts, tls }, (request, response) => {
            void door.handle(request, response);
          }),
        );
  const limits = { messageBytesMax: bytesMax };
  // Both gRPC ports answer every method: senders of one kind expect a port of its own.
  const openGrpc = (key: string, port: number | undefined) =>
    port === undefined
      ? undefined
      : open(key, port, listenGrpc({ host, port, methods, token, tls, accounts, limits }));
  const otlpGrpcUrl = await openGrpc('otlp_grpc_port', grpcPort);
  const skywalkingPort = portOf(settings.skywalking_grpc_port, settings.port, SKYWALKING_GRPC_PORT);
  const skywalkingGrpcUrl = await openGrpc('skywalking_grpc_port', skywalkingPort);
  files?.watch(
    (pair) => {
      tlsError = '';
      for (const listener of listeners) listener.setTls(pair);
    },
    (error) => {
      tlsError = error.message;
    },
  );
  return {
    integration,
    otlpHttpUrl,
    otlpGrpcUrl,
    skywalkingGrpcUrl,
    lastError: () => tlsError || integration.lastError(),
    close: async () => {
      files?.close();
      for (const listener of listeners) await listener.close();
      await integration.close();
    },
  };
}

/** Where nothing is set: OTLP's own port, or any one when the server itself takes any. */
function portOf(set: number | 'off' | undefined, own: number, standard: number) {
  if (set === 'off') return undefined;
  return set ?? (own === 0 ? 0 : standard);
}
