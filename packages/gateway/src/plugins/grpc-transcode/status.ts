import protobuf from 'protobufjs';
import { messageJson } from './message-json.ts';
import { messageOptions } from './message-options.ts';
import { findType } from './proto-source.ts';

/** HTTP's status for each of gRPC's but 0. Source: ../shared/reference/apisix.md §4.2. */
const HTTP_STATUSES: Readonly<Record<number, number>> = {
  ...{ 1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400 },
  ...{ 12: 501, 13: 500, 14: 503, 15: 500, 16: 401 },
};

export function httpStatusOf(grpcStatus: number): number {
  return HTTP_STATUSES[grpcStatus] ?? 599;
}

interface Any {
  readonly type_url: string;
  readonly value: Uint8Array;
}

/**
 * The body that shows an error: what `grpc-status-details-bin` says, where it can be read. Details
 * are decoded as messages of `detailType`, and shown in base64 without one.
 */
export function errorJson(
  status: { readonly code: number; readonly message: string; readonly detailsBin: string },
  root: protobuf.Root,
  detailType: string | undefined,
): string {
  const { code, message, detailsBin } = status;
  const type = detailType === undefined ? undefined : findType(root, detailType);
  const details = detailsIn(statusType(), detailsBin)?.map((detail) => detailJson(detail, type));
  const listed = details === undefined ? '' : `,"details":[${details.join(',')}]`;
  return `{"error":{"code":${code},"message":${JSON.stringify(message)}${listed}}}`;
}

/** `google.rpc.Status`: what `grpc-status-details-bin` holds. */
function statusType(): protobuf.Type {
  const { nested = {} } = protobuf.common.get('google/protobuf/any.proto') ?? {};
  const status = new protobuf.Type('Status')
    .add(new protobuf.Field('code', 1, 'int32'))
    .add(new protobuf.Field('message', 2, 'string'))
    .add(new protobuf.Field('details', 3, 'google.protobuf.Any', 'repeated'));
  new protobuf.Root().addJSON(nested).add(status);
  return status;
}

function detailJson({ type_url, value }: Any, type: protobuf.Type | undefined): string {
  if (type !== undefined) {
    try {
      return messageJson(type, type.decode(value), messageOptions([]));
    } catch {
      // Another type than the one that was named.
    }
  }
  return JSON.stringify({ type_url, value: Buffer.from(value).toString('base64') });
}

function detailsIn(status: protobuf.Type, detailsBin: string): readonly Any[] | undefined {
  if (detailsBin === '') return undefined;
  try {
    // Checked edge: decoded by the type above.
    const decoded = status.decode(Buffer.from(detailsBin, 'base64'));
    return (decoded as unknown as { readonly details: readonly Any[] }).details;
  } catch {
    return undefined;
  }
}

/** Text of `grpc-message`, which is percent-encoded. */
export function grpcMessage(text: string | undefined): string {
  if (text === undefined) return '';
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
