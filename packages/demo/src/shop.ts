// What the client asks of the shop, and what each request must leave behind.

export interface ShopRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly host?: string;
  readonly body?: string;
}

/** How far a request travels. Each hop that it takes is seen twice: by its client and its server. */
type Reach = 'gateway' | 'orders' | 'stock';
const SPANS_BY_REACH: Readonly<Record<Reach, number>> = { gateway: 2, orders: 4, stock: 6 };

/** Of 20 requests: 17 through both services, 1 that a service ends, 1 that fails, 1 for the gateway. */
const MIX_SIZE = 20;

/** The `index`th request of the shop's day: the same for the same index. */
export function shopRequest(index: number): ShopRequest {
  const id = 1000 + ((index * 7919) % 9000);
  const turn = index % MIX_SIZE;
  if (turn === 6) return { method: 'GET', path: '/favicon.ico' };
  if (turn === 11) return { method: 'GET', path: `/orders/${id}/invoice` };
  if (turn === 16) return { method: 'GET', path: '/orders/13' };
  if (turn % 5 === 2) return { method: 'GET', path: `/orders?customer=${id}` };
  if (turn % 4 === 1) {
    return {
      method: 'POST',
      path: '/orders',
      body: JSON.stringify({ sku: `sku-${id}`, count: 2 }),
    };
  }
  return { method: 'GET', path: `/orders/${id}` };
}

/** Rows that one request for `path` leaves at all points: 2 for each hop that it takes. */
export function expectedSpans(path: string): number {
  return SPANS_BY_REACH[reachOf(path)];
}

function reachOf(path: string): Reach {
  if (!path.startsWith('/orders')) return 'gateway';
  return path.endsWith('/invoice') ? 'orders' : 'stock';
}
