import type { Answer, Receiver } from './door/receiver.ts';
import { createRemoteWrite, REMOTE_WRITE_PATHS } from './remote-write.ts';
import type { RemoteWriter } from './remote-writer.ts';

/** Remote write behind the door. Snappy is unpacked by the writer: into one buffer, again and again. */
export function remoteWriteReceiver(writer: RemoteWriter): Receiver {
  const remoteWrite = createRemoteWrite(writer);
  return {
    name: 'remote_write',
    paths: REMOTE_WRITE_PATHS,
    rawEncodings: ['snappy'],
    handle: async ({ headers, body }): Promise<Answer> => {
      const answer = await remoteWrite({
        contentType: headers['content-type'] ?? '',
        contentEncoding: headers['content-encoding'] ?? '',
        body,
      });
      const { status, text, rows, rejected } = answer;
      return {
        status,
        headers: answer.headers,
        rows,
        rejected,
        ...(text === '' ? {} : { body: text, mediaType: 'text/plain' }),
        ...(status < 300 ? {} : { reason: REASONS[status] ?? 'bad_request' }),
      };
    },
  };
}

const REASONS: Readonly<Record<number, string>> = {
  413: 'body_too_large',
  415: 'version_unsupported',
  503: 'busy',
};
