import { TCP_ACK, TCP_SYN, type TcpSegment } from '@thalweg/wire';
import { formatAddress } from '../flow/address.ts';
import {
  DIRECTION_IN,
  DIRECTION_OUT,
  ROLE_CLIENT,
  ROLE_UNKNOWN,
  TRANSFER_CLOSE,
  TRANSFER_DATA,
  TRANSFER_END,
  type Transfer,
  type TransferSink,
} from '../flow/transfer.ts';
import {
  createReassembledStream,
  type Piece,
  type ReassembledStream,
  type ReassemblyCounters,
  type ReassemblyLimits,
} from './reassembly.ts';

/** The TCP connections of a capture: segments in file order to transfers in stream order. */
export interface CapturedConnections {
  segment(segment: TcpSegment): void;
  /** Ends all connections; holes that are still open stay gaps. */
  close(): void;
  /** Connections seen so far. */
  count(): number;
}

interface Side {
  readonly stream: ReassembledStream;
  hasEnded: boolean;
}

interface CapturedConnection {
  readonly id: number;
  readonly role: number;
  /** Address and port of the side that is shown as local: the client where that is known. */
  readonly local: string;
  /** A segment of the connection, for its addresses. */
  readonly first: TcpSegment;
  readonly isFirstLocal: boolean;
  readonly incoming: Side;
  readonly outgoing: Side;
  /** Sequence number of the client's SYN; another one means that the ports are used again. */
  readonly synSequence: number;
  isClosed: boolean;
}

/** Connections held; past it the oldest is closed. */
const CONNECTIONS_MAX = 65_536;

export function createCapturedConnections(
  sink: TransferSink,
  baseNs: bigint,
  counters: ReassemblyCounters,
  limits: ReassemblyLimits,
): CapturedConnections {
  const byKey = new Map<string, CapturedConnection>();
  let opened = 0;

  function connectionOf(segment: TcpSegment): CapturedConnection {
    const source = addressOf(segment, true);
    const target = addressOf(segment, false);
    const key = source < target ? `${source} ${target}` : `${target} ${source}`;
    const known = byKey.get(key);
    const isSyn = (segment.flags & (TCP_SYN | TCP_ACK)) === TCP_SYN;
    const isReuse = isSyn && known?.synSequence !== segment.sequence;
    if (known !== undefined && !isReuse) return known;
    if (known !== undefined) {
      byKey.delete(key);
      end(known);
    }
    const oldest = byKey.size >= CONNECTIONS_MAX ? byKey.entries().next().value : undefined;
    if (oldest !== undefined) {
      byKey.delete(oldest[0]);
      end(oldest[1]);
    }
    // SYN comes from the client, SYN+ACK from the server; else the first to speak is local.
    const isAccept = !isSyn && (segment.flags & TCP_SYN) !== 0;
    opened += 1;
    const made: CapturedConnection = {
      id: opened,
      role: isSyn || isAccept ? ROLE_CLIENT : ROLE_UNKNOWN,
      local: isAccept ? target : source,
      first: segment,
      isFirstLocal: !isAccept,
      incoming: { stream: createReassembledStream(counters, limits), hasEnded: false },
      outgoing: { stream: createReassembledStream(counters, limits), hasEnded: false },
      synSequence: isSyn ? segment.sequence : -1,
      isClosed: false,
    };
    byKey.set(key, made);
    return made;
  }

  function deliver(to: CapturedConnection, direction: number, piece: Piece): void {
    const { segment, skip } = piece;
    const from = Math.max(0, skip);
    sink({
      ...blank(to, direction, segment),
      kind: TRANSFER_DATA,
      sequence: (segment.sequence + from) >>> 0,
      length: segment.length - from,
      captured: Math.max(0, segment.captured - from),
      bytesAt: segment.payloadAt + from,
    });
  }

  function blank(to: CapturedConnection, direction: number, segment: TcpSegment): Transfer {
    const isSourceLocal = direction === DIRECTION_OUT;
    return {
      kind: TRANSFER_CLOSE,
      direction,
      atNs: Number(segment.atNs - baseNs),
      connection: to.id,
      role: to.role,
      pid: 0,
      tid: 0,
      netns: 0,
      ipVersion: segment.ipVersion,
      localPort: isSourceLocal ? segment.sourcePort : segment.targetPort,
      remotePort: isSourceLocal ? segment.targetPort : segment.sourcePort,
      localAddressAt: isSourceLocal ? segment.sourceAt : segment.targetAt,
      remoteAddressAt: isSourceLocal ? segment.targetAt : segment.sourceAt,
      commAt: -1,
      sequence: segment.sequence,
      answerSequence: 0,
      length: 0,
      captured: 0,
      bytesAt: segment.payloadAt,
      bytes: segment.bytes,
      turnId: 0,
      causeId: 0,
      causeKind: 0,
      lostBefore: 0,
    };
  }

  function end(connection: CapturedConnection): void {
    if (connection.isClosed) return;
    connection.isClosed = true;
    const { first, isFirstLocal } = connection;
    connection.outgoing.stream.flush((piece) => deliver(connection, DIRECTION_OUT, piece));
    connection.incoming.stream.flush((piece) => deliver(connection, DIRECTION_IN, piece));
    sink(blank(connection, isFirstLocal ? DIRECTION_OUT : DIRECTION_IN, first));
  }

  return {
    segment(segment) {
      const to = connectionOf(segment);
      if (to.isClosed) return;
      const direction = addressOf(segment, true) === to.local ? DIRECTION_OUT : DIRECTION_IN;
      const side = direction === DIRECTION_OUT ? to.outgoing : to.incoming;
      side.stream.segment(segment, (piece) => deliver(to, direction, piece));
      if (side.hasEnded || !side.stream.isEnded()) return;
      side.hasEnded = true;
      sink({ ...blank(to, direction, segment), kind: TRANSFER_END });
      if (to.incoming.hasEnded && to.outgoing.hasEnded) end(to);
    },
    close() {
      for (const connection of byKey.values()) end(connection);
      byKey.clear();
    },
    count: () => opened,
  };
}

function addressOf(segment: TcpSegment, isSource: boolean): string {
  const at = isSource ? segment.sourceAt : segment.targetAt;
  const port = isSource ? segment.sourcePort : segment.targetPort;
  return `${formatAddress(segment.bytes, at, segment.ipVersion)} ${port}`;
}
