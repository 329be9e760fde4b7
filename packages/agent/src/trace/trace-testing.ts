import type { Connection, MessageSpan, RequestPart, ResponsePart } from '../flow/exchange.ts';
import { CAUSE_NONE } from '../flow/transfer.ts';

// Exchanges of tests: a request and an answer without anything that links them, but for what is given.

export const testConnection = (id: number, role: Connection['role'], pid = 1): Connection => ({
  id,
  protocol: 'http1',
  role,
  pid,
  comm: 'shop',
  netns: 0,
  isUnix: false,
  localIp: '127.0.0.1',
  localPort: 80,
  remoteIp: '127.0.0.1',
  remotePort: 40_000 + id,
});

const MESSAGE: Omit<MessageSpan, 'sequence'> &
  Pick<RequestPart, 'version' | 'contentLength' | 'trace' | 'requestId' | 'headers'> = {
  startNs: 0,
  endNs: 0,
  tid: 1,
  turnId: 0,
  causeId: 0,
  causeKind: CAUSE_NONE,
  size: 0,
  captured: 0,
  bodySize: 0,
  version: '1.1',
  contentLength: undefined,
  trace: undefined,
  requestId: '',
  headers: [],
};

export const testRequest = (sequence: number, rest: Partial<RequestPart> = {}): RequestPart => ({
  ...MESSAGE,
  sequence,
  answerSequence: 0,
  method: 'GET',
  path: '/',
  host: 'shop',
  forwardedFor: '',
  answeredBeforeNs: -Infinity,
  note: undefined,
  ...rest,
});

export const testResponse = (sequence: number, rest: Partial<ResponsePart> = {}): ResponsePart => ({
  ...MESSAGE,
  sequence,
  outcome: 'success',
  status: 200,
  reason: 'OK',
  result: '',
  ...rest,
});
