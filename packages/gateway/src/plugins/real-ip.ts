import { isIP } from 'node:net';
import type { IpRanges } from '../core/match/ip-range.ts';
import { ADDRESS } from '../core/network-schemas.ts';
import type { RequestContext } from '../core/request-context.ts';
import { addressFault, rangesOf } from './ip-addresses.ts';
import { definePlugin } from './plugin.ts';

interface RealIp {
  readonly source: string;
  readonly trusted_addresses?: readonly string[];
  readonly recursive: boolean;
}

/** Takes the client's address, for this route, from what a proxy before the gateway says. */
export const realIp = definePlugin<RealIp>({
  name: 'real-ip',
  priority: 23_000,
  summary: "Takes the client's address from a header or argument, for one route.",
  example: { source: 'http_x_forwarded_for', trusted_addresses: ['10.0.0.0/8'], recursive: true },
  schema: {
    type: 'object',
    properties: {
      trusted_addresses: { type: 'array', minItems: 1, items: ADDRESS },
      source: { type: 'string', minLength: 1 },
      recursive: { type: 'boolean', default: false },
    },
    required: ['source'],
  },
  check: ({ trusted_addresses }) => addressFault(trusted_addresses),
  create({ source, trusted_addresses, recursive }) {
    const trusted = rangesOf(trusted_addresses);
    return {
      rewrite(context) {
        if (trusted?.has(context.peer.address) === false) return undefined;
        const named =
          source === 'http_x_forwarded_for'
            ? lastForwarded(context, recursive ? trusted : undefined)
            : context.variable(source);
        const address = named === undefined ? undefined : parseAddress(named);
        if (address === undefined) return undefined;
        context.clientIp = address.ip;
        if (address.port !== undefined) context.clientPort = address.port;
        return undefined;
      },
    };
  },
});

/** The last of the chain; with `skipped` the last that is not among them, else the first. */
function lastForwarded(
  { headers }: RequestContext,
  skipped: IpRanges | undefined,
): string | undefined {
  const chain = headers
    .all('x-forwarded-for')
    .flatMap((field) => field.split(','))
    .map((one) => one.trim());
  if (skipped === undefined) return chain.at(-1);
  return chain.findLast((one) => !skipped.has(parseAddress(one)?.ip ?? one)) ?? chain[0];
}

/** `1.2.3.4`, `::1`, `1.2.3.4:80` or `[::1]:80`; undefined for anything else. */
export function parseAddress(
  text: string,
): { readonly ip: string; readonly port: number | undefined } | undefined {
  const match = /^(?:\[([^\]]+)\]|([\d.]+)|([a-fA-F\d:.]+))(?::(\d{1,5}))?$/.exec(text);
  const ip = match?.[1] ?? match?.[2] ?? match?.[3];
  const bare = isIP(text) === 0 ? ip : text;
  if (bare === undefined || isIP(bare) === 0) return undefined;
  const port = bare === text || match?.[4] === undefined ? undefined : Number(match[4]);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return { ip: bare, port };
}
