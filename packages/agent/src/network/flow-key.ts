import { formatAddress } from '../flow/address.ts';
import { FLOW_KEY, FLOW_KEY_SIZE } from '../kernel/events.gen.ts';

/** A TCP connection at one interface. `near` is the end that sends on egress. */
export interface FlowKey {
  readonly netns: number;
  readonly ifindex: number;
  readonly nearIp: string;
  readonly nearPort: number;
  readonly farIp: string;
  readonly farPort: number;
}

/** The key at `at`, copied. */
export function readFlowKey(bytes: Uint8Array, at: number): FlowKey {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, FLOW_KEY_SIZE);
  const ipVersion = view.getUint32(FLOW_KEY.ipVersion, true);
  return {
    netns: view.getUint32(FLOW_KEY.netns, true),
    ifindex: view.getUint32(FLOW_KEY.ifindex, true),
    nearIp: formatAddress(bytes, at + FLOW_KEY.near, ipVersion),
    nearPort: view.getUint16(FLOW_KEY.nearPort, true),
    farIp: formatAddress(bytes, at + FLOW_KEY.far, ipVersion),
    farPort: view.getUint16(FLOW_KEY.farPort, true),
  };
}
