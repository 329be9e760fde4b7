// Attribute names that have columns of their own. For each meaning: the current name first, then the
// older ones. Source: OpenTelemetry semantic conventions 1.20 to 1.37 and their migration guides.

export const MEANINGS = {
  httpMethod: ['http.request.method', 'http.method'],
  httpStatus: ['http.response.status_code', 'http.status_code'],
  urlPath: ['url.path'],
  urlQuery: ['url.query'],
  httpTarget: ['http.target'],
  urlFull: ['url.full', 'http.url'],
  scheme: ['url.scheme', 'http.scheme'],
  httpHost: ['http.host'],
  server: ['server.address', 'net.host.name', 'http.server_name'],
  serverPort: ['server.port', 'net.host.port'],
  peerName: ['net.peer.name'],
  version: ['network.protocol.version', 'http.flavor', 'net.protocol.version'],
  requestSize: ['http.request.body.size', 'http.request_content_length'],
  responseSize: ['http.response.body.size', 'http.response_content_length'],
  client: ['client.address', 'http.client_ip'],
  peerIp: ['network.peer.address', 'net.sock.peer.addr', 'net.peer.ip'],
  peerPort: ['network.peer.port', 'net.sock.peer.port', 'net.peer.port'],
  localIp: ['network.local.address', 'net.sock.host.addr', 'net.host.ip'],
  localPort: ['network.local.port', 'net.sock.host.port'],
  requestId: ['http.request.header.x-request-id', 'http.request.header.x_request_id'],
  rpcSystem: ['rpc.system.name', 'rpc.system'],
  rpcMethod: ['rpc.method'],
  rpcService: ['rpc.service'],
  rpcStatus: ['rpc.grpc.status_code'],
  dbSystem: ['db.system.name', 'db.system'],
  dbOperation: ['db.operation.name', 'db.operation'],
  dbQuery: ['db.query.text', 'db.statement'],
  dbName: ['db.namespace', 'db.name'],
  messagingSystem: ['messaging.system'],
  messagingOperation: [
    'messaging.operation.name',
    'messaging.operation.type',
    'messaging.operation',
  ],
  messagingTarget: ['messaging.destination.name', 'messaging.destination'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type Meaning = keyof typeof MEANINGS;

const ORDER = Object.keys(MEANINGS);
export const MEANING_COUNT = ORDER.length;

/** Each meaning's place in the arrays that are indexed by it. */
export const MEANING_INDEX = Object.fromEntries(
  ORDER.map((name, index) => [name, index]),
) as Record<
  Meaning, // The keys are those of the table above.
  number
>;

/** Names of one meaning, at most. */
const RANKS = 4;

/** Attribute name to `index * RANKS + rank`; the lower rank wins. */
export const MEANING_OF: ReadonlyMap<string, number> = new Map(
  Object.values(MEANINGS).flatMap((names: readonly string[], index) =>
    names.map((name, rank) => [name, index * RANKS + rank] as const),
  ),
);
export const meaningOf = (code: number): number => Math.floor(code / RANKS);

/** Systems that have a number of their own. Values: `l7_protocol`. */
export const PROTOCOL_OF_SYSTEM: ReadonlyMap<string, number> = new Map([
  ['grpc', 41],
  ['dubbo', 40],
  ['apache_dubbo', 40],
  ['mysql', 60],
  ['mariadb', 60],
  ['postgresql', 61],
  ['oracle', 62],
  ['oracle.db', 62],
  ['redis', 80],
  ['mongodb', 81],
  ['memcached', 82],
  ['kafka', 100],
  ['mqtt', 101],
  ['rabbitmq', 102],
  ['nats', 104],
  ['pulsar', 105],
  ['rocketmq', 107],
]);
