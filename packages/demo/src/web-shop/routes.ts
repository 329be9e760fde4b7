import type { IncomingMessage } from 'node:http';
import { createClient } from '@redis/client';
import { SHOP_PORTS, type ShopAddresses, type ShopService, urlOf } from './addresses.ts';
import { ask } from './ask.ts';
import { loadPostgres } from './telemetry.ts';

export interface ShopAnswer {
  readonly status: number;
  readonly body: object;
}

export type ShopRoute = (request: IncomingMessage) => Promise<ShopAnswer>;

const CONNECTIONS_MAX = 8;

/** What a service answers, connected to what it needs. */
export function routesOf(service: ShopService, addresses: ShopAddresses): Promise<ShopRoute> {
  switch (service) {
    case 'storefront':
      return Promise.resolve(storefront(addresses));
    case 'checkout':
      return Promise.resolve(checkout(addresses));
    case 'catalog':
      return catalog(addresses);
    case 'cart':
      return cart(addresses);
    case 'payments':
      return payments(addresses);
  }
}

/** GET /shop/full-test: one purchase through all five services. */
function storefront(addresses: ShopAddresses): ShopRoute {
  return async ({ url }) => {
    if (url !== '/shop/full-test') return missing(url);
    const items = await ask('GET', `${urlOf(addresses, 'catalog')}/items`);
    const count = await ask('POST', `${urlOf(addresses, 'cart')}/carts/7/items`);
    const order = await ask('POST', `${urlOf(addresses, 'checkout')}/orders`);
    return { status: 200, body: { items, cart: count, order } };
  };
}

/** POST /orders: paid first. */
function checkout(addresses: ShopAddresses): ShopRoute {
  return async ({ url }) => {
    if (url !== '/orders') return missing(url);
    const payment = await ask('POST', `${urlOf(addresses, 'payments')}/charges`);
    return { status: 201, body: { order: 'taken', payment } };
  };
}

/** GET /items, from PostgreSQL. */
async function catalog(addresses: ShopAddresses): Promise<ShopRoute> {
  const pool = openPool(addresses);
  await pool.query('CREATE TABLE IF NOT EXISTS items (id int PRIMARY KEY, name text)');
  await pool.query(
    "INSERT INTO items SELECT n, 'item ' || n FROM generate_series(1, 100) n ON CONFLICT DO NOTHING",
  );
  return async ({ url }) => {
    if (url !== '/items') return missing(url);
    const { rows } = await pool.query<{ name: string }>(
      'SELECT id, name FROM items WHERE id <= $1',
      [3],
    );
    return { status: 200, body: rows };
  };
}

/** POST /charges: a row in PostgreSQL. */
async function payments(addresses: ShopAddresses): Promise<ShopRoute> {
  const pool = openPool(addresses);
  await pool.query('CREATE TABLE IF NOT EXISTS charges (id serial PRIMARY KEY, cents int)');
  return async ({ url }) => {
    if (url !== '/charges') return missing(url);
    const { rows } = await pool.query<{ id: number }>(
      'INSERT INTO charges (cents) VALUES ($1) RETURNING id',
      [1_999],
    );
    return { status: 201, body: rows[0] ?? {} };
  };
}

/** POST /carts/ID/items: a counter in Redis. */
async function cart(addresses: ShopAddresses): Promise<ShopRoute> {
  const client = createClient({ socket: { host: addresses.redis, port: SHOP_PORTS.redis } });
  await client.connect();
  return async ({ url }) => {
    const id = /^\/carts\/(\d+)\/items$/.exec(url ?? '')?.[1];
    if (id === undefined) return missing(url);
    return { status: 201, body: { items: Number(await client.incr(`cart:${id}`)) } };
  };
}

function openPool({ postgres }: ShopAddresses): InstanceType<typeof import('pg').Pool> {
  const { Pool } = loadPostgres();
  const [user, database] = ['postgres', 'postgres'];
  return new Pool({
    host: postgres,
    port: SHOP_PORTS.postgres,
    user,
    database,
    max: CONNECTIONS_MAX,
  });
}

function missing(url: string | undefined): ShopAnswer {
  return { status: 404, body: { error: `no such page: ${url ?? ''}` } };
}
