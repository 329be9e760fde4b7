import type { Answer } from '../../core/answer.ts';
import { POST_BYTES_MAX } from '../../core/post-arguments.ts';
import type { RequestContext, ResponseState } from '../../core/request-context.ts';
import { dropEntityFields } from '../entity-fields.ts';
import { definePlugin, type PluginEnvironment } from '../plugin.ts';
import { RESPONSE_BODY_BYTES } from '../response-body-bytes.ts';
import { frameOf, messagesIn } from './frames.ts';
import { encodeMessage, FieldError } from './message-encode.ts';
import { messageJson } from './message-json.ts';
import { MESSAGE_OPTIONS, type MessageOptions, messageOptions } from './message-options.ts';
import { findMethod, type ProtoMethod, readProto } from './proto-source.ts';
import { errorJson, grpcMessage, httpStatusOf } from './status.ts';

interface GrpcTranscode {
  readonly proto_id: string | number;
  readonly service: string;
  readonly method: string;
  readonly deadline: number;
  readonly pb_option: readonly (typeof MESSAGE_OPTIONS)[number][];
  readonly show_status_in_body: boolean;
  readonly status_detail_type?: string;
  readonly max_resp_body_size: number;
}

/** One call under way: what its answer is read with, and what stands for that answer. */
interface Call {
  readonly method: ProtoMethod;
  shown: string | undefined;
}

type Values = Readonly<Record<string, unknown>>;

const EMPTY = Buffer.alloc(0);

/** Takes HTTP with JSON or arguments, and asks a gRPC service. */
export const grpcTranscode = definePlugin<GrpcTranscode>({
  name: 'grpc-transcode',
  priority: 506,
  summary: 'Lets HTTP clients with JSON or query arguments call a method of a gRPC service.',
  example: { proto_id: '1', service: 'helloworld.Greeter', method: 'SayHello' },
  notes: [
    'The upstream has `scheme: grpc` or `grpcs`. What cannot be encoded gets 400 with the field.',
    'The answer is held until its trailers are there, so that a late error has its status too.',
    'Messages of a stream are shown one after another, a line each.',
    'Fields of type bytes are base64 in JSON; a 64-bit number keeps its digits.',
  ],
  schema: {
    type: 'object',
    properties: {
      proto_id: {
        anyOf: [
          { type: 'string', minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-_.]+$' },
          { type: 'integer', minimum: 1 },
        ],
      },
      service: { type: 'string', description: 'with its package' },
      method: { type: 'string' },
      deadline: { type: 'number', default: 0, description: 'milliseconds; 0: none' },
      pb_option: {
        type: 'array',
        minItems: 1,
        items: { type: 'string', enum: MESSAGE_OPTIONS },
        default: ['enum_as_name', 'int64_as_number', 'auto_default_values', 'disable_hooks'],
      },
      show_status_in_body: { type: 'boolean', default: false },
      status_detail_type: {
        type: 'string',
        description: 'message type of `details` in the status, with its package',
      },
      max_resp_body_size: RESPONSE_BODY_BYTES,
    },
    additionalProperties: true,
    required: ['proto_id', 'service', 'method'],
  },
  create(conf, environment) {
    const slot = Symbol('call');
    const options = messageOptions(conf.pb_option);
    const methodNow = methodReader(conf, environment);

    function send(
      context: RequestContext,
      method: ProtoMethod,
      values: Values,
    ): Answer | undefined {
      let message: Uint8Array;
      try {
        message = encodeMessage(method.request, values);
      } catch (error) {
        if (error instanceof FieldError) return refusal(400, error.message);
        throw error;
      }
      context.setSlot(slot, { method, shown: undefined } satisfies Call);
      toCall(context, method.path, conf);
      context.body.replace(frameOf(message));
      return undefined;
    }

    return {
      access(context) {
        const method = methodNow();
        if (typeof method === 'string') {
          environment.warn(method);
          return refusal(503, method);
        }
        return context.body.read(POST_BYTES_MAX).then((bytes) => {
          if (bytes === undefined) return refusal(413, 'the body is too large');
          const values = valuesOf(context, bytes);
          return typeof values === 'string' ? refusal(400, values) : send(context, method, values);
        });
      },
      header_filter(context) {
        const call = context.slot<Call>(slot);
        const { response } = context;
        if (call === undefined || response?.held === undefined) return;
        dropEntityFields(response.fields);
        response.fields.set('Content-Type', 'application/json');
        const { status, text } = shownAnswer(response, call.method, conf, options);
        response.status = status;
        call.shown = text;
      },
      body_filter(context, bytes, isLast) {
        const shown = context.slot<Call>(slot)?.shown;
        if (shown === undefined) return bytes;
        return isLast ? Buffer.from(shown) : EMPTY;
      },
    };
  },
});

/** The method as the stored proto now has it, read once for each content; text says what is missing. */
function methodReader(
  { proto_id, service, method }: GrpcTranscode,
  { proto }: PluginEnvironment,
): () => ProtoMethod | string {
  let known: string | undefined;
  let found: ProtoMethod | string = '';
  return () => {
    const content = proto(String(proto_id));
    if (content === undefined) return `there is no proto ${proto_id}`;
    if (content !== known) {
      const root = readProto(content);
      found =
        typeof root === 'string'
          ? `proto ${proto_id} cannot be read: ${root}`
          : findMethod(root, service, method);
      known = content;
    }
    return found;
  };
}

/** Makes the request a gRPC call; its body is set by the caller. */
function toCall(context: RequestContext, path: string, conf: GrpcTranscode): void {
  const { headers } = context;
  context.method = 'POST';
  context.upstreamUri = path;
  context.heldBytesMax = conf.max_resp_body_size;
  for (const name of [
    'Content-Encoding',
    'Grpc-Encoding',
    'Grpc-Accept-Encoding',
    'Accept-Encoding',
  ]) {
    headers.remove(name);
  }
  headers.set('Content-Type', 'application/grpc');
  if (conf.deadline > 0) headers.set('Grpc-Timeout', `${Math.ceil(conf.deadline)}m`);
}

/** Arguments of the query, under what a form or JSON in the body says. Text says what is wrong. */
function valuesOf(context: RequestContext, body: Buffer): Values | string {
  const values = argumentsOf(context.query);
  if (body.length === 0) return values;
  const type = context.headers.get('content-type') ?? '';
  if (/urlencoded/i.test(type)) return { ...values, ...argumentsOf(body.toString()) };
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString());
  } catch (error) {
    return `the body is not JSON: ${error instanceof Error ? error.message : ''}`;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return 'the body is not a JSON object';
  }
  return { ...values, ...parsed };
}

function argumentsOf(query: string): Record<string, string | string[]> {
  const values: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(query)) {
    const known = values[name];
    values[name] = known === undefined ? value : [...[known].flat(), value];
  }
  return values;
}

/** What the client gets for the answer to a call: status and body. */
function shownAnswer(
  { status, fields, held }: ResponseState,
  { root, response }: ProtoMethod,
  conf: GrpcTranscode,
  options: MessageOptions,
): { readonly status: number; readonly text: string } {
  if (status >= 300) return { status, text: held?.body.toString() ?? '' };
  const told = (name: string): string | undefined => held?.trailers?.get(name) ?? fields.get(name);
  const code = Number(told('grpc-status') ?? 0);
  if (code !== 0) {
    const error = {
      code,
      message: grpcMessage(told('grpc-message')),
      detailsBin: told('grpc-status-details-bin') ?? '',
    };
    const text = conf.show_status_in_body ? errorJson(error, root, conf.status_detail_type) : '';
    return { status: httpStatusOf(code), text };
  }
  const messages = messagesIn(held?.body ?? EMPTY);
  if (messages === undefined) return { status: 502, text: '' };
  try {
    const shown = messages.map((bytes) => messageJson(response, response.decode(bytes), options));
    return { status, text: shown.join('\n') };
  } catch {
    return { status: 502, text: '' };
  }
}

function refusal(status: number, why: string): Answer {
  return { status, body: { error_msg: why } };
}
