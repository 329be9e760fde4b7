export { createFragmentTable, type FragmentTable } from './fragments.ts';
export type { SkipReason } from './frame.ts';
export { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, type TcpSegment, tcpSegment } from './ip.ts';
export type { CapturedPacket, CaptureError } from './packet.ts';
export { readCapture } from './read-capture.ts';
