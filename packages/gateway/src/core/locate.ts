import { isIP } from 'node:net';
import { FORWARDED } from './http/field-name.ts';
import { isHost } from './http/head.ts';
import { type Field, field } from './http/header-fields.ts';
import { type IpRanges, plainAddress } from './match/ip-range.ts';
import type { RequestContext } from './request-context.ts';
import { servletPath } from './servlet-path.ts';
import { hostName, parseTarget } from './target.ts';

/** Where requests are taken to come from, and how their paths are read. */
export interface PlaceSettings {
  readonly deletesTailSlash: boolean;
  /** Paths are read as a servlet container does, without the parameters of their segments. */
  readonly isServletLike: boolean;
  /** `%2F` is no slash for matching. */
  readonly keepsEncodedSlash: boolean;
  /** Peers whose `X-Forwarded-*` are believed. */
  readonly trusted: IpRanges | undefined;
  /** nginx's real_ip: peers that name the client in a field, in lower case. */
  readonly realIp: {
    readonly from: IpRanges | undefined;
    readonly field: string;
    readonly isRecursive: boolean;
  };
}

/** Fills in what routes are matched by and who asks; false when the target makes no sense. */
export function locate(context: RequestContext, settings: PlaceSettings): boolean {
  const target = parseTarget(context.head.target, settings.keepsEncodedSlash);
  if (target === undefined) return false;
  if (target.path === '*' && context.method !== 'OPTIONS') return false;
  if (target.authority !== undefined && !isHost(target.authority)) return false;
  const { rawPath, query, authority } = target;
  const path = settings.isServletLike ? servletPath(target.path) : target.path;
  if (path === undefined) return false;
  const isTrimmed = settings.deletesTailSlash && path.length > 1 && path.endsWith('/');
  context.path = isTrimmed ? path.slice(0, -1) : path;
  context.rawPath = rawPath;
  context.query = query;
  if (authority !== undefined && authority !== '') context.headers.set('Host', authority);
  const place = placeOf(context);
  context.host = place.host;
  context.clientIp = clientAddress(context, settings.realIp);
  forwarded(context, place, settings.trusted);
  return true;
}

/** The peer, or who a believed peer says it speaks for. */
function clientAddress(
  { peer, headers }: RequestContext,
  { from, field, isRecursive }: PlaceSettings['realIp'],
): string {
  if (from === undefined || !headers.has(field) || !from.has(peer.address)) return peer.address;
  const named = headers
    .all(field)
    .join(',')
    .split(',')
    .map((address) => plainAddress(address.trim()))
    .filter((address) => isIP(address) !== 0);
  const last = isRecursive ? named.findLast((address) => !from.has(address)) : named.at(-1);
  return last ?? named[0] ?? peer.address;
}

/** `X-Forwarded-*` as plugins and the upstream see them. */
function forwarded(
  { headers, peer }: RequestContext,
  { fields }: Place,
  trusted: IpRanges | undefined,
): void {
  // Nearly all requests come without them.
  if ((headers.kinds & FORWARDED) === 0) {
    for (const one of fields) headers.take(one);
    return;
  }
  const isTrusted = trusted?.has(peer.address) === true;
  for (const one of fields) {
    const given = isTrusted ? headers.joined(one.name.key) : undefined;
    headers.put(given === undefined ? one : one.withValue(given));
  }
  // Whoever may not say who asks may not say it to plugins and upstreams either.
  if (!isTrusted) headers.remove('x-forwarded-for');
}

/** Where a request came to. */
interface Place {
  /** What the Host field says. */
  readonly given: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Without port, in lower case. */
  readonly host: string;
  /** As the gateway says it on. */
  readonly fields: readonly Field[];
}

/** Most requests come where the last one came. */
let lastPlace = place('', 0, false);

function placeOf({ headers, peer }: RequestContext): Place {
  const given = headers.get('host') ?? '';
  const { localPort, isTls } = peer;
  const isSame = lastPlace.given === given && lastPlace.port === localPort;
  if (!isSame || lastPlace.isTls !== isTls) lastPlace = place(given, localPort, isTls);
  return lastPlace;
}

function place(given: string, port: number, isTls: boolean): Place {
  const host = hostName(given);
  const fields = [
    field('X-Forwarded-Proto', 'x-forwarded-proto', isTls ? 'https' : 'http'),
    field('X-Forwarded-Host', 'x-forwarded-host', host),
    field('X-Forwarded-Port', 'x-forwarded-port', String(port)),
  ];
  return { given, port, isTls, host, fields };
}
