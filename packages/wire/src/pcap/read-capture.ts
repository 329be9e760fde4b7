import { isClassicPcap, readClassicPcap } from './classic.ts';
import type { CaptureError, PacketSink } from './packet.ts';
import { isPcapng, readPcapng } from './pcapng.ts';

/**
 * Reads a whole capture file, pcap or pcapng in either byte order, in file order. Answers undefined
 * at its end, or why it stopped; packets before that point have been given to the sink.
 */
export function readCapture(bytes: Uint8Array, sink: PacketSink): CaptureError | undefined {
  if (isClassicPcap(bytes)) return readClassicPcap(bytes, sink);
  if (isPcapng(bytes)) return readPcapng(bytes, sink);
  return {
    code: 'not-a-capture',
    message: `the first of ${bytes.length} bytes are no magic number of pcap or pcapng`,
  };
}
