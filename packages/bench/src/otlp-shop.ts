/** A span as an SDK of a web shop makes it, without its ids. Times are in µs from any origin. */
export interface OtlpSpanShape {
  readonly service: string;
  /** Place in its trace; -1: the root. */
  readonly parent: number;
  readonly name: string;
  readonly kind: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly attributes: readonly (readonly [name: string, value: string | number])[];
  /** Message of the exception that it ended with; '' for none. */
  readonly exception: string;
}

const INTERNAL = 1;
const SERVER = 2;
const CLIENT = 3;
const ERROR_SHARE = 0.02;

const ROUTES = [
  ['GET', '/orders/{id}'],
  ['GET', '/items/{id}'],
  ['GET', '/users/{id}/cart'],
  ['POST', '/orders'],
  ['GET', '/search'],
  ['POST', '/pay/{id}'],
] as const;
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/139.0.0.0 Safari/537.36',
  'shop-app/4.2 (iOS 18.6; iPhone17,1)',
  'shop-app/4.1 (Android 16; Pixel 9)',
  'curl/8.14.1',
] as const;
const TABLES = ['orders', 'items', 'users', 'payments'] as const;
const ORDERS = 200_000;
const USERS = 50_000;
const ADDRESSES = 20_000;

/**
 * Eight spans of one request: the gateway's two ends, the orders service with a step of its own, its
 * query and its call, and the stock service with its look-up in a cache. Four to thirteen attributes
 * each (nine in the mean), of which order, user, address, port, size and thread vary from span to span.
 */
export function shopTrace(random: () => number, originUs: number): OtlpSpanShape[] {
  const whole = (below: number): number => Math.floor(random() * below);
  function pick<Item>(items: readonly Item[]): Item {
    const found = items[whole(items.length)];
    if (found === undefined) throw new Error('BUG: nothing to pick from');
    return found;
  }
  const [method, route] = pick(ROUTES);
  const order = whole(ORDERS);
  const user = whole(USERS);
  const path = route.replace('{id}', String(route.startsWith('/users') ? user : order));
  const isError = random() < ERROR_SHARE;
  const status = isError ? 500 : method === 'POST' ? 201 : 200;
  const exception = isError ? `order ${order} is locked by another transaction` : '';
  const host = whole(3);
  const server = (peer: string, agent: string, size: number) =>
    [
      ['http.request.method', method],
      ['http.route', route],
      ['url.path', path],
      ['url.scheme', 'http'],
      ['server.address', 'shop.example.test'],
      ['server.port', 8_080],
      ['network.protocol.version', '1.1'],
      ['network.peer.address', peer],
      ['network.peer.port', 32_768 + whole(28_000)],
      ['user_agent.original', agent],
      ['http.response.status_code', status],
      ['http.response.body.size', size],
      ['thread.id', whole(16)],
    ] as const;
  const client = (to: string) =>
    [
      ['http.request.method', method],
      ['url.full', `http://${to}.shop.svc:8080${path}`],
      ['server.address', `${to}.shop.svc`],
      ['server.port', 8_080],
      ['network.peer.address', `10.1.${host}.${to.length}`],
      ['network.protocol.version', '1.1'],
      ['http.response.status_code', status],
    ] as const;
  const table = pick(TABLES);
  const visitor = whole(ADDRESSES);
  const spans: OtlpSpanShape[] = [];
  const add = (
    [service, name, kind, parent]: readonly [string, string, number, number],
    attributes: OtlpSpanShape['attributes'],
  ): void => {
    const above = spans[parent];
    const startUs = above === undefined ? originUs : above.startUs + 40 + whole(200);
    const longest = above === undefined ? 80_000 : above.endUs - startUs - 30;
    const share = above === undefined ? random() ** 4 : 0.5 + random() / 2;
    const endUs =
      startUs + Math.max(20, Math.floor(400 * (above === undefined ? 1 : 0) + longest * share));
    spans.push({ service, parent, name, kind, startUs, endUs, attributes, exception });
  };
  add(
    ['gateway', `${method} ${route}`, SERVER, -1],
    server(`203.0.${visitor >> 8}.${visitor & 255}`, pick(AGENTS), whole(20_000)),
  );
  add(['gateway', method, CLIENT, 0], client('orders'));
  add(
    ['orders', `${method} ${route}`, SERVER, 1],
    server(`10.1.${host}.7`, 'gateway/1.4', whole(20_000)),
  );
  add(
    ['orders', 'priceCart', INTERNAL, 2],
    [
      ['code.function.name', 'Cart.price'],
      ['shop.order.id', order],
      ['shop.user.id', `user-${user}`],
      ['shop.cart.items', whole(20)],
    ],
  );
  add(
    ['orders', `SELECT ${table}`, CLIENT, 2],
    [
      ['db.system.name', 'postgresql'],
      ['db.namespace', 'shop'],
      ['db.operation.name', 'SELECT'],
      ['db.collection.name', table],
      ['db.query.text', `SELECT * FROM ${table} WHERE id = $1 AND deleted_at IS NULL`],
      ['server.address', 'postgres.shop.svc'],
      ['server.port', 5_432],
      ['db.response.returned_rows', whole(30)],
    ],
  );
  add(['orders', method, CLIENT, 2], client('stock'));
  add(['stock', `${method} ${route}`, SERVER, 5], server(`10.1.${host}.6`, 'node', whole(4_000)));
  add(
    ['stock', 'GET', CLIENT, 6],
    [
      ['db.system.name', 'redis'],
      ['db.operation.name', 'GET'],
      ['db.query.text', `GET item:${order}`],
      ['server.address', 'redis.shop.svc'],
      ['server.port', 6_379],
    ],
  );
  return spans;
}
