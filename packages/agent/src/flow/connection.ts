import { formatAddress, formatPath } from './address.ts';
import type { Connection, RequestPart, ResponsePart } from './exchange.ts';
import type { OpaqueReason } from './opaque.ts';
import type { MessageStream, Protocol } from './protocol.ts';
import {
  IP_VERSION_UNIX,
  ROLE_CLIENT,
  ROLE_SERVER,
  ROLE_UNKNOWN,
  type Transfer,
} from './transfer.ts';

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A request that waits for its answer, or the place of one that was given up. */
export interface Waiting {
  readonly request: Mutable<RequestPart>;
  /** Its row went out without an answer: a late answer stands alone. */
  isGivenUp: boolean;
}

/** One direction of a connection, with where its current message began. */
export interface Direction {
  /** Of the connection's protocol. */
  stream: MessageStream;
  /** TCP sequence number that the next transfer should have; -1 when not known. */
  nextSequence: number;
  startNs: number;
  startSequence: number;
  startAnswerSequence: number;
  startTid: number;
  startTurnId: number;
  startCauseId: number;
  startCauseKind: number;
  lastNs: number;
  /** The open message, once its head is complete. */
  request: Mutable<RequestPart> | undefined;
  response: Mutable<ResponsePart> | undefined;
  /** The request that `response` answers. */
  answered: Waiting | undefined;
}

/** What the flow keeps of one connection. */
export interface FlowConnection {
  shown: Connection;
  /** HTTP/1 until the bytes say otherwise; fixed once a message was understood. */
  protocol: Protocol;
  readonly incoming: Direction;
  readonly outgoing: Direction;
  /** Direction of the last data; -1 before the first. */
  lastDirection: number;
  lastNs: number;
  /** Oldest first. */
  readonly waiting: Waiting[];
  /** An answer that was told of before its request. */
  early: readonly Transfer[];
  isLossy: boolean;
  /** No request began since the last loss. */
  isLossFresh: boolean;
  lossNs: number;
  /** Nothing but other protocols was seen so often that bytes are no longer looked at. */
  isOpaque: boolean;
  /** A message of its protocol was understood. */
  hasMessages: boolean;
  troubleCount: number;
  /** What it was counted as when its first bytes were not understood. */
  opaque: OpaqueReason | undefined;
  /** The database that a login named. */
  domain: string;
  /** Messages may come that answer nothing. */
  isListening: boolean;
  /** End of the last answer; -Infinity before the first. */
  answeredNs: number;
  /** The cause of connect(), for a first request that has none of its own. */
  connectCauseId: number;
  /** Since the last chance to be dropped as idle. */
  wasUsed: boolean;
}

/** Of a connection without an early answer; shared, so that it costs none an allocation. */
export const NONE_EARLY: readonly Transfer[] = [];

function createDirection(stream: MessageStream): Direction {
  return {
    stream,
    nextSequence: -1,
    startNs: 0,
    startSequence: 0,
    startAnswerSequence: 0,
    startTid: 0,
    startTurnId: 0,
    startCauseId: 0,
    startCauseKind: 0,
    lastNs: 0,
    request: undefined,
    response: undefined,
    answered: undefined,
  };
}

export function createFlowConnection(transfer: Transfer, protocol: Protocol): FlowConnection {
  const isClient = transfer.role === ROLE_CLIENT;
  return {
    shown: {
      id: transfer.connection,
      protocol: protocol.name,
      role: roleOf(transfer.role),
      pid: transfer.pid,
      comm: commOf(transfer),
      netns: transfer.netns,
      ...endsOf(transfer),
    },
    protocol,
    incoming: createDirection(protocol.createStream(!isClient)),
    outgoing: createDirection(protocol.createStream(isClient)),
    lastDirection: -1,
    lastNs: transfer.atNs,
    waiting: [],
    early: NONE_EARLY,
    isLossy: false,
    isLossFresh: false,
    lossNs: 0,
    isOpaque: false,
    hasMessages: false,
    troubleCount: 0,
    opaque: undefined,
    domain: '',
    isListening: false,
    answeredNs: -Infinity,
    connectCauseId: 0,
    wasUsed: true,
  };
}

/** Its bytes are of another protocol than was thought. `isAskingOut`: requests leave here. */
export function adoptProtocol(of: FlowConnection, protocol: Protocol, isAskingOut: boolean): void {
  of.protocol = protocol;
  of.shown = { ...of.shown, protocol: protocol.name };
  of.incoming.stream = protocol.createStream(!isAskingOut);
  of.outgoing.stream = protocol.createStream(isAskingOut);
  of.troubleCount = 0;
}

/** A socket went to another process, as when a worker takes over what a parent accepted. */
export function moveConnection(of: FlowConnection, now: Transfer): void {
  const role = now.role === ROLE_UNKNOWN ? of.shown.role : roleOf(now.role);
  of.shown = { ...of.shown, pid: now.pid, comm: commOf(now), role };
}

function endsOf(
  transfer: Transfer,
): Pick<Connection, 'isUnix' | 'localIp' | 'localPort' | 'remoteIp' | 'remotePort'> {
  const { bytes, ipVersion, localPort, remotePort } = transfer;
  if (ipVersion === IP_VERSION_UNIX) {
    const path = formatPath(bytes, transfer.localAddressAt);
    return { isUnix: true, localIp: path, localPort, remoteIp: path, remotePort };
  }
  return {
    isUnix: false,
    localIp: formatAddress(bytes, transfer.localAddressAt, ipVersion),
    localPort,
    remoteIp: formatAddress(bytes, transfer.remoteAddressAt, ipVersion),
    remotePort,
  };
}

function roleOf(role: number): Connection['role'] {
  if (role === ROLE_CLIENT) return 'client';
  return role === ROLE_SERVER ? 'server' : 'unknown';
}

/** The thread's name: 16 bytes, zero-terminated. Empty when the source does not know it. */
function commOf({ bytes, commAt }: Transfer): string {
  if (commAt < 0) return '';
  let end = commAt;
  while (end < commAt + 16 && (bytes[end] ?? 0) !== 0) end += 1;
  return Buffer.from(bytes.buffer, bytes.byteOffset + commAt, end - commAt).toString('utf8');
}
