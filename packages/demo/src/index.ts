import { SHOP_PORTS } from './web-shop/addresses.ts';

export { checkDemo, type Demo, type DemoOptions, startDemo } from './demo.ts';
export { DemoError } from './demo-error.ts';
export type { LoadReport } from './load-report.ts';
export { makeRunFolder, type RunFolder } from './run-folder.ts';
export { startWebShop, type WebShopOptions } from './web-shop/web-shop.ts';

/** Where the shop's SDKs send their spans, on its own network. */
export const COLLECTOR_PORT = SHOP_PORTS.collector;
