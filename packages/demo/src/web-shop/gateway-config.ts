import { SHOP_PORTS, type ShopAddresses, WEB_SHOP_REQUEST } from './addresses.ts';

/** APISIX's config.yaml as the article has it: spans to our own address, metrics on :9091. */
export function gatewayConfig(addresses: ShopAddresses): string {
  const collector = `${addresses.collector}:${SHOP_PORTS.collector}`;
  return JSON.stringify({
    apisix: {
      node_listen: [{ ip: addresses.gateway, port: SHOP_PORTS.gateway }],
      ssl: { enable: false },
    },
    plugin_attr: {
      opentelemetry: {
        resource: { 'service.name': 'APISIX' },
        collector: { address: `${collector}/api/v1/otel/trace`, request_timeout: 3 },
        batch_span_processor: { batch_timeout: 1, inactive_timeout: 1 },
        trace_id_source: 'random',
      },
    },
  });
}

/** The article's route, in the standalone file. */
export function gatewayRoutes(addresses: ShopAddresses): string {
  const routes = [
    {
      id: 'shop',
      name: 'shop',
      host: WEB_SHOP_REQUEST.host,
      uris: ['/shop/*'],
      methods: ['GET', 'POST', 'PUT'],
      plugins: {
        opentelemetry: {
          sampler: { name: 'always_on' },
          additional_attributes: ['route_name', 'remote_addr'],
        },
        prometheus: {},
      },
      upstream: {
        type: 'roundrobin',
        nodes: { [`${addresses.storefront}:${SHOP_PORTS.storefront}`]: 1 },
      },
    },
  ];
  return `${JSON.stringify({ routes })}\n#END\n`;
}
