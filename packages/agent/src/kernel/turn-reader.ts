import type { Turn, TurnSink } from '../network/turn.ts';
import { FLOW, TURN } from './events.gen.ts';

const HIGH = 2 ** 32;

/** Where a struct keeps what a turn is made of: the record's and the flow's differ. */
type Layout = Readonly<
  Record<
    | 'id'
    | 'firstNs'
    | 'lastNs'
    | 'sequence'
    | 'bytes'
    | 'retransmissions'
    | 'zeroWindows'
    | 'vlan'
    | 'direction'
    | 'client',
    number
  >
>;
const RECORD: Layout = { ...TURN, id: TURN.flowId };

/** Makes a `Turn` of each record of the ring and hands it on with the bytes of its key. */
export function createTurnReader(ring: ArrayBuffer): (offset: number, sink: TurnSink) => void {
  const bytes = new Uint8Array(ring);
  const view = new DataView(ring);
  return (offset, sink) => sink(turnAt(view, offset, RECORD), bytes, offset + TURN.key);
}

/** The open turn of a flow as the kernel's map holds it; undefined when none is open. */
export function openTurnOf(value: Uint8Array): Turn | undefined {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const turn = turnAt(view, 0, FLOW);
  return turn.direction === 0 ? undefined : turn;
}

function turnAt(view: DataView, at: number, layout: Layout): Turn {
  const half = (offset: number): number => view.getUint16(at + offset, true);
  const word = (offset: number): number => view.getUint32(at + offset, true);
  const wide = (offset: number): number => word(offset) + word(offset + 4) * HIGH;
  const counts = (offset: number) => ({ ingress: half(offset), egress: half(offset + 2) });
  return {
    flowId: wide(layout.id),
    direction: view.getUint8(at + layout.direction),
    clientDirection: view.getUint8(at + layout.client),
    sequence: word(layout.sequence),
    bytes: word(layout.bytes),
    firstNs: wide(layout.firstNs),
    lastNs: wide(layout.lastNs),
    vlan: half(layout.vlan),
    retransmissions: counts(layout.retransmissions),
    zeroWindows: counts(layout.zeroWindows),
  };
}
