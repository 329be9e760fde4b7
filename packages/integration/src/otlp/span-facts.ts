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
import { MEANING_INDEX, type Meaning, PROTOCOL_OF_SYSTEM } from './conventions.ts';

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
  const text = (meaning: Meaning): string => from.text(MEANING_INDEX[meaning]);
  const take = (meaning: Meaning): void => from.take(MEANING_INDEX[meaning]);
  const taken = (...meanings: readonly Meaning[]): string => {
    for (const meaning of meanings) {
      const found = text(meaning);
      if (found === '') continue;
      take(meaning);
      return found;
    }
    return '';
  };
  const number = (meaning: Meaning, max: number): number => {
    const found = from.whole(MEANING_INDEX[meaning], max);
    if (found === undefined) return 0;
    take(meaning);
    return found;
  };

  facts.version = taken('version');
  const scheme = text('scheme');
  if (scheme === 'http' || scheme === 'https') take('scheme');
  facts.isTls = scheme === 'https' || scheme === 'grpcs' || scheme === 'wss';
  facts.type = taken('httpMethod', 'rpcMethod', 'dbOperation', 'messagingOperation');
  const httpCode = number('httpStatus', 999);
  facts.code = httpCode === 0 ? number('rpcStatus', 999) : httpCode;
  facts.resource = resourceOf(text, take, taken);
  facts.domain = isClientKind(kind)
    ? taken('httpHost', 'server', 'peerName', 'dbName', 'messagingTarget')
    : taken('httpHost', 'server');
  facts.requestSize = number('requestSize', Number.MAX_SAFE_INTEGER);
  facts.responseSize = number('responseSize', Number.MAX_SAFE_INTEGER);
  facts.clientName = taken('client');
  facts.requestId = text('requestId');
  facts.protocol = protocolOf(text, facts, scheme);
  facts.status = statusOf(httpCode, code);
  readEnds(facts, kind, taken, number);
}

type Take = (...meanings: readonly Meaning[]) => string;

/** Path and query, statement, destination or service. */
function resourceOf(
  text: (meaning: Meaning) => string,
  take: (meaning: Meaning) => void,
  taken: Take,
): string {
  const path = text('urlPath');
  const query = text('urlQuery');
  if (path !== '') {
    take('urlPath');
    if (query === '') {
      if (text('httpTarget') === path) take('httpTarget');
      return path;
    }
    take('urlQuery');
    const whole = query.startsWith('?') ? `${path}${query}` : `${path}?${query}`;
    if (text('httpTarget') === whole) take('httpTarget');
    return whole;
  }
  const target = taken('httpTarget');
  if (target !== '') return target;
  const full = text('urlFull');
  // The address stays an attribute: the column has only its path.
  if (full !== '') return pathOf(full);
  return taken('dbQuery', 'messagingTarget', 'rpcService');
}

function pathOf(url: string): string {
  const start = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(url)?.[0].length ?? 0;
  const fragment = url.indexOf('#', start);
  const path = url.slice(start, fragment < 0 ? undefined : fragment);
  return path.startsWith('/') ? path : `/${path}`;
}

function protocolOf(text: (meaning: Meaning) => string, facts: SpanFacts, scheme: string): number {
  const system = text('rpcSystem') || text('dbSystem') || text('messagingSystem');
  const known = PROTOCOL_OF_SYSTEM.get(system.toLowerCase());
  if (known !== undefined) return known;
  const isHttp =
    text('httpMethod') !== '' || scheme.startsWith('http') || text('httpStatus') !== '';
  if (!isHttp) return 0;
  return facts.version.startsWith('2') ? HTTP2 : L7_PROTOCOL_HTTP1;
}

/** An HTTP status says whose error it was; an unset status says nothing. */
function statusOf(httpCode: number, spanStatus: number): number {
  if (httpCode >= 500) return STATUS_SERVER_ERROR;
  if (httpCode >= 400) return STATUS_CLIENT_ERROR;
  if (spanStatus === SPAN_STATUS_ERROR) return STATUS_SERVER_ERROR;
  return spanStatus === SPAN_STATUS_OK || httpCode > 0 ? STATUS_SUCCESS : STATUS_UNKNOWN;
}

/** A client's peer is the server; a server's peer is the client, and `server.*` is itself. */
function readEnds(
  facts: SpanFacts,
  kind: number,
  taken: Take,
  number: (meaning: Meaning, max: number) => number,
): void {
  const isClient = isClientKind(kind);
  const peerIp = taken('peerIp');
  const localIp = taken('localIp');
  const serverPort = number('serverPort', PORT_MAX);
  // A port that no column shows stays an attribute.
  const isServerKnown = serverPort > 0;
  const peerPort = isClient && isServerKnown ? 0 : number('peerPort', PORT_MAX);
  const localPort = !isClient && isServerKnown ? 0 : number('localPort', PORT_MAX);
  facts.clientIp = isClient ? localIp : peerIp;
  facts.serverIp = isClient ? peerIp : localIp;
  facts.clientPort = isClient ? localPort : peerPort;
  facts.serverPort = serverPort || (isClient ? peerPort : localPort);
}
