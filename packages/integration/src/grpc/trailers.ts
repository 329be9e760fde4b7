import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { createProtoWriter } from '@thalweg/wire';
import { ENCODINGS } from '../door/body.ts';
import { GRPC, type GrpcAnswer } from './grpc-method.ts';

const HEADERS = {
  ':status': 200,
  'content-type': 'application/grpc',
  'grpc-accept-encoding': ['identity', ...ENCODINGS].join(','),
} as const;

/** Ends the call. Once: later answers are for nobody. */
export function sendAnswer(stream: ServerHttp2Stream, answer: GrpcAnswer): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.on('error', () => undefined); // The caller may be gone: nobody to tell.
  if (answer.code !== GRPC.ok) {
    stream.respond({ ...HEADERS, ...faultTrailers(answer) }, { endStream: true });
    return;
  }
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const frame = Buffer.allocUnsafe(5 + answer.message.length);
  frame[0] = 0;
  frame.writeUInt32BE(answer.message.length, 1);
  frame.set(answer.message, 5);
  stream.end(frame);
}

function faultTrailers(answer: Exclude<GrpcAnswer, { code: 0 }>): OutgoingHttpHeaders {
  const { code, text, retryAfterS } = answer;
  return {
    'grpc-status': String(code),
    'grpc-message': percentEncoded(text),
    ...(retryAfterS === undefined
      ? {}
      : { 'grpc-status-details-bin': statusWithRetry(code, text, retryAfterS) }),
  };
}

/** Source: gRPC over HTTP2, Status-Message: printable ASCII but `%` as it is. */
function percentEncoded(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text.slice(0, 1_000))) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return encoded;
}

/** google.rpc.Status with google.rpc.RetryInfo, in base64. Source: googleapis, error_details.proto. */
function statusWithRetry(code: number, text: string, retryAfterS: number): string {
  const delay = createProtoWriter();
  delay.messageField(1, () => delay.varintField(1, retryAfterS));
  const writer = createProtoWriter();
  writer.varintField(1, code);
  writer.textField(2, text);
  writer.messageField(3, () => {
    writer.textField(1, 'type.googleapis.com/google.rpc.RetryInfo');
    writer.bytesField(2, delay.finish());
  });
  return Buffer.from(writer.finish()).toString('base64');
}
