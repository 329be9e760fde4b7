import {
  L7_PROTOCOL_HTTP1,
  SPAN_STATUS_ERROR,
  SPAN_STATUS_OK,
  STATUS_CLIENT_ERROR,
  STATUS_SERVER_ERROR,
  STATUS_SUCCESS,
  STATUS_UNKNOWN,
} from '@thalweg/model';
import type { Attributes } from './attributes.ts';
import { MEANING_INDEX, PROTOCOL_OF_SYSTEM } from './conventions.ts';

/** What the columns of a request hold, found in a span's attributes. Reused from span to span. */
export interface SpanFacts {
  protocol: number;
  version: string;
  isTls: boolean;
  type: string;
  domain: string;
  resource: string;
  code: number;
  status: number;
  requestSize: number;
  responseSize: number;
  clientName: string;
  requestId: string;
  /** Of the client's end. */
  clientIp: string;
  clientPort: number;
  serverIp: string;
  serverPort: number;
}

const KIND_CLIENT = 3;
const KIND_PRODUCER = 4;
const PORT_MAX = 65_535;
const HTTP2 = 21;

/** True for kinds that ask; others are the answering end, or both. */
export function isClientKind(kind: number): boolean {
  return kind === KIND_CLIENT || kind === KIND_PRODUCER;
}

export function createSpanFacts(): SpanFacts {
  return {
    protocol: 0,
    version: '',
    isTls: false,
    type: '',
    domain: '',
    resource: '',
    code: 0,
    status: 0,
    requestSize: 0,
    responseSize: 0,
    clientName: '',
    requestId: '',
    clientIp: '',
    clientPort: 0,
    serverIp: '',
    serverPort: 0,
  };
}

/** Fills `facts` from attributes that were opened; takes those that a column holds in full. */
export function readFacts(facts: SpanFacts, from: Attributes, kind: number, code: number): void {
  facts.version = taken(from, INDEX.version);
  const scheme = from.text(INDEX.scheme);
  if (scheme === 'http' || scheme === 'https') from.take(INDEX.scheme);
  facts.isTls = scheme === 'https' || scheme === 'grpcs' || scheme === 'wss';
  const method = from.text(INDEX.httpMethod);
  facts.type = firstTaken(from, TYPES);
  const httpCode = numberTaken(from, INDEX.httpStatus, CODE_MAX);
  facts.code = httpCode === 0 ? numberTaken(from, INDEX.rpcStatus, CODE_MAX) : httpCode;
  facts.resource = resourceOf(from);
  facts.domain = firstTaken(from, isClientKind(kind) ? CLIENT_DOMAINS : SERVER_DOMAINS);
  facts.requestSize = numberTaken(from, INDEX.requestSize, Number.MAX_SAFE_INTEGER);
  facts.responseSize = numberTaken(from, INDEX.responseSize, Number.MAX_SAFE_INTEGER);
  facts.clientName = taken(from, INDEX.client);
  facts.requestId = from.text(INDEX.requestId);
  const isHttp = method !== '' || httpCode !== 0 || scheme.startsWith('http');
  facts.protocol = protocolOf(from, facts.version, isHttp);
  facts.status = statusOf(httpCode, code);
  readEnds(facts, from, kind);
}

const INDEX = MEANING_INDEX;
const CODE_MAX = 999;
const TYPES = [INDEX.httpMethod, INDEX.rpcMethod, INDEX.dbOperation, INDEX.messagingOperation];
const SERVER_DOMAINS = [INDEX.httpHost, INDEX.server];
const CLIENT_DOMAINS = [...SERVER_DOMAINS, INDEX.peerName, INDEX.dbName, INDEX.messagingTarget];
const RESOURCES = [INDEX.dbQuery, INDEX.messagingTarget, INDEX.rpcService];

function taken(from: Attributes, meaning: number): string {
  const found = from.text(meaning);
  if (found !== '') from.take(meaning);
  return found;
}

function firstTaken(from: Attributes, meanings: readonly number[]): string {
  for (const meaning of meanings) {
    const found = taken(from, meaning);
    if (found !== '') return found;
  }
  return '';
}

function numberTaken(from: Attributes, meaning: number, most: number): number {
  const found = from.whole(meaning, most);
  if (found === undefined) return 0;
  from.take(meaning);
  return found;
}

/** Path and query, statement, destination or service. */
function resourceOf(from: Attributes): string {
  const path = taken(from, INDEX.urlPath);
  if (path !== '') {
    const query = taken(from, INDEX.urlQuery);
    const mark = query === '' || query.startsWith('?') ? '' : '?';
    const whole = `${path}${mark}${query}`;
    if (from.text(INDEX.httpTarget) === whole) from.take(INDEX.httpTarget);
    return whole;
  }
  const target = taken(from, INDEX.httpTarget);
  if (target !== '') return target;
  const full = from.text(INDEX.urlFull);
  // The address stays an attribute: the column has only its path.
  return full === '' ? firstTaken(from, RESOURCES) : pathOf(full);
}

/** Its `lastIndex` tells the end: a match as an object would be garbage of each span. */
const SCHEME_AND_HOST = /[a-z][a-z0-9+.-]*:\/\/[^/?#]*/iy;

function pathOf(url: string): string {
  SCHEME_AND_HOST.lastIndex = 0;
  const start = SCHEME_AND_HOST.test(url) ? SCHEME_AND_HOST.lastIndex : 0;
  const fragment = url.indexOf('#', start);
  const path = url.slice(start, fragment < 0 ? undefined : fragment);
  return path.startsWith('/') ? path : `/${path}`;
}

function protocolOf(from: Attributes, version: string, isHttp: boolean): number {
  const system =
    from.text(INDEX.rpcSystem) || from.text(INDEX.dbSystem) || from.text(INDEX.messagingSystem);
  const known = system === '' ? undefined : PROTOCOL_OF_SYSTEM.get(system.toLowerCase());
  if (known !== undefined) return known;
  if (!isHttp) return 0;
  return version.startsWith('2') ? HTTP2 : L7_PROTOCOL_HTTP1;
}

/** An HTTP status says whose error it was; an unset status says nothing. */
function statusOf(httpCode: number, spanStatus: number): number {
  if (httpCode >= 500) return STATUS_SERVER_ERROR;
  if (httpCode >= 400) return STATUS_CLIENT_ERROR;
  if (spanStatus === SPAN_STATUS_ERROR) return STATUS_SERVER_ERROR;
  return spanStatus === SPAN_STATUS_OK || httpCode > 0 ? STATUS_SUCCESS : STATUS_UNKNOWN;
}

/** A client's peer is the server; a server's peer is the client, and `server.*` is itself. */
function readEnds(facts: SpanFacts, from: Attributes, kind: number): void {
  const isClient = isClientKind(kind);
  const peerIp = taken(from, INDEX.peerIp);
  const localIp = taken(from, INDEX.localIp);
  const serverPort = numberTaken(from, INDEX.serverPort, PORT_MAX);
  // A port that no column shows stays an attribute.
  const isServerKnown = serverPort > 0;
  const peerPort = isClient && isServerKnown ? 0 : numberTaken(from, INDEX.peerPort, PORT_MAX);
  const localPort = !isClient && isServerKnown ? 0 : numberTaken(from, INDEX.localPort, PORT_MAX);
  facts.clientIp = isClient ? localIp : peerIp;
  facts.serverIp = isClient ? peerIp : localIp;
  facts.clientPort = isClient ? localPort : peerPort;
  facts.serverPort = serverPort || (isClient ? peerPort : localPort);
}
