import { blankTransfer, type TransferSink } from '../flow/transfer.ts';
import { EVENT, EVENT_SIZE } from './events.gen.ts';

const HIGH = 2 ** 32;

/**
 * Fills one reused `Transfer` from each record of the ring and hands it on. The bytes stay where
 * they are: the sink may look at them during the call only. 64-bit ids become doubles, exact below
 * 2^53: cookies count from 1, and a turn id is a cookie shifted by 20 bits.
 */
export function createEventReader(
  ring: ArrayBuffer,
): (offset: number, length: number, sink: TransferSink) => void {
  const bytes = new Uint8Array(ring);
  const words = new Uint32Array(ring);
  const halves = new Uint16Array(ring);
  const transfer = blankTransfer(bytes);
  const word = (at: number): number => words[at >>> 2] ?? 0;
  const wide = (at: number): number => word(at) + word(at + 4) * HIGH;

  return (offset, length, sink) => {
    transfer.kind = bytes[offset + EVENT.kind] ?? 0;
    transfer.direction = bytes[offset + EVENT.direction] ?? 0;
    transfer.atNs = wide(offset + EVENT.atNs);
    transfer.connection = wide(offset + EVENT.cookie);
    transfer.role = bytes[offset + EVENT.role] ?? 0;
    transfer.pid = word(offset + EVENT.pid);
    transfer.tid = word(offset + EVENT.tid);
    transfer.netns = word(offset + EVENT.netns);
    transfer.ipVersion = bytes[offset + EVENT.ipVersion] ?? 4;
    transfer.localPort = halves[(offset + EVENT.localPort) >>> 1] ?? 0;
    transfer.remotePort = halves[(offset + EVENT.remotePort) >>> 1] ?? 0;
    transfer.localAddressAt = offset + EVENT.localAddress;
    transfer.remoteAddressAt = offset + EVENT.remoteAddress;
    transfer.commAt = offset + EVENT.comm;
    transfer.sequence = word(offset + EVENT.sequence);
    transfer.answerSequence = word(offset + EVENT.answerSequence);
    transfer.length = word(offset + EVENT.length);
    // Never past the record, whatever it says.
    const captured = halves[(offset + EVENT.captured) >>> 1] ?? 0;
    transfer.captured = Math.min(captured, Math.max(0, length - EVENT_SIZE));
    transfer.bytesAt = offset + EVENT_SIZE;
    transfer.turnId = wide(offset + EVENT.turnId);
    transfer.causeId = wide(offset + EVENT.causeId);
    transfer.causeKind = bytes[offset + EVENT.causeKind] ?? 0;
    transfer.lostBefore = word(offset + EVENT.lostBefore);
    sink(transfer);
  };
}
