import type { ShopRequest } from '../shop.ts';

/** Where each part of the web shop listens, in the shop's own network. */
export const SHOP_PORTS = {
  gateway: 9080,
  storefront: 7101,
  catalog: 7102,
  cart: 7103,
  checkout: 7104,
  payments: 7105,
  redis: 6379,
  postgres: 5432,
  collector: 4318,
} as const;

export type ShopHost = keyof typeof SHOP_PORTS;

/** The five services with an SDK each. */
export const SHOP_SERVICES = ['payments', 'checkout', 'cart', 'catalog', 'storefront'] as const;
export type ShopService = (typeof SHOP_SERVICES)[number];

/** Address of each host, by name. */
export type ShopAddresses = Readonly<Record<ShopHost, string>>;

export function urlOf(addresses: ShopAddresses, host: ShopHost): string {
  return `http://${addresses[host]}:${SHOP_PORTS[host]}`;
}

/** The article's request: it touches all five services. */
export const WEB_SHOP_REQUEST: ShopRequest = {
  method: 'GET',
  path: '/shop/full-test',
  host: 'apisix.deepflow.demo',
};
