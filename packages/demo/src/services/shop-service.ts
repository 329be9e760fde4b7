// One of the web shop's five services. Arguments: address, port, name, addresses of all hosts (JSON).
import type { ShopAddresses, ShopService } from '../web-shop/addresses.ts';
import { urlOf } from '../web-shop/addresses.ts';
import { startTelemetry } from '../web-shop/telemetry.ts';
import { answer, serve } from './service.ts';

const [, , , , name, json] = process.argv;
const addresses = JSON.parse(json ?? '{}') as ShopAddresses; // Only startWebShop writes it.
const service = name as ShopService;
// The path is the article's; SDKs are given it whole.
startTelemetry(service, `${urlOf(addresses, 'collector')}/api/v1/otel/trace`);

const { routesOf } = await import('../web-shop/routes.ts');
const route = await routesOf(service, addresses);
serve((request, response) => {
  route(request).then(
    ({ status, body }) => answer(response, status, body),
    (error: Error) => answer(response, 502, { error: error.message }),
  );
});
