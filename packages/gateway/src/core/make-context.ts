import { NO_BODY } from './http/head.ts';
import { HeaderFields } from './http/header-fields.ts';
import { createRequestBody } from './request-body.ts';
import { type Peer, RequestContext } from './request-context.ts';

export interface ContextParts {
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly peer?: Peer;
  /** Unix ms. */
  readonly startMs?: number;
}

const LOOPBACK: Peer = {
  address: '127.0.0.1',
  port: 0,
  localAddress: '127.0.0.1',
  localPort: 0,
  isTls: false,
  serverName: undefined,
  tlsVersion: undefined,
  clientChain: undefined,
};

/** A context without a message of HTTP behind it: of a stream, of a question what would match. */
export function makeContext({
  method,
  host,
  target,
  peer = LOOPBACK,
  startMs = 0,
}: ContextParts): RequestContext {
  const fields = new HeaderFields();
  if (host !== '') fields.push('Host', 'host', host);
  const nothing = (): void => undefined;
  return new RequestContext(
    peer,
    {
      kind: 'request',
      method,
      target,
      isHttp10: false,
      fields,
      framing: NO_BODY,
      isKeepAlive: true,
      expectsContinue: false,
      upgrade: undefined,
      size: 0,
    },
    createRequestBody(NO_BODY, { pause: nothing, resume: nothing, want: nothing }),
    startMs,
  );
}
