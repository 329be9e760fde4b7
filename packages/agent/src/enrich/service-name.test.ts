import { expect, test } from 'vitest';
import { serviceName } from './service-name.ts';

test.each([
  { comm: 'nginx', line: ['nginx: worker process'], otel: '', want: 'nginx' },
  {
    comm: 'node',
    line: ['/usr/bin/node', '--inspect', '/srv/orders.js'],
    otel: '',
    want: 'orders',
  },
  { comm: 'node', line: ['node', '/srv/cart/dist/index.js'], otel: '', want: 'cart' },
  { comm: 'node', line: ['node', 'server.mjs'], otel: '', want: 'server' },
  {
    comm: 'node',
    line: ['node', '--require', '/opt/otel/preload.cjs', '--conditions=x', '/srv/stock.js'],
    otel: '',
    want: 'stock',
  },
  { comm: 'python3', line: ['python3', '-m', 'shop.cart'], otel: '', want: 'cart' },
  { comm: 'python3', line: ['python3', '-c', 'import shop'], otel: '', want: 'python3' },
  { comm: 'node', line: ['node'], otel: '', want: 'node' },
  { comm: 'java', line: ['java', '-Xmx1g', '-jar', '/opt/billing.jar'], otel: '', want: 'billing' },
  { comm: 'python3', line: ['python3', 'shop.py'], otel: 'shop-front', want: 'shop-front' },
  { comm: 'gone', line: [''], otel: '', want: 'gone' },
])('$line is $want', ({ comm, line, otel, want }) => {
  expect(serviceName(comm, line, otel)).toBe(want);
});
