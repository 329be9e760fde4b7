import Long from 'long';
import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor.js';
import { isStrictBase64 } from '../base64.ts';

/** One method of a service, with what goes in and what comes out. */
export interface ProtoMethod {
  readonly root: protobuf.Root;
  readonly path: string;
  readonly request: protobuf.Type;
  readonly response: protobuf.Type;
}

/**
 * Reads the `content` of a proto: its text, or base64 of a `FileDescriptorSet`, as `protoc
 * --include_imports --descriptor_set_out` writes it. Field names keep their spelling. A text may
 * import nothing but Google's well-known types. Text answers say what is wrong.
 */
export function readProto(content: string): protobuf.Root | string {
  keepLongs();
  try {
    const isSet = !content.includes('{') && isStrictBase64(content.replace(/\s+/g, ''));
    const root = isSet ? rootOfSet(Buffer.from(content, 'base64')) : rootOfText(content);
    root.resolveAll();
    return root;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The method as a full path of a call; text answers say what is missing. */
export function findMethod(
  root: protobuf.Root,
  service: string,
  method: string,
): ProtoMethod | string {
  const found = lookedUp(root, service);
  if (!(found instanceof protobuf.Service)) return `service ${service} is not in the proto`;
  const called = Object.hasOwn(found.methods, method) ? found.methods[method] : undefined;
  const { resolvedRequestType: request, resolvedResponseType: response } = called ?? {};
  if (!request || !response) return `service ${service} has no method ${method}`;
  return { root, path: `/${service}/${method}`, request, response };
}

/** A message type by its full name. */
export function findType(root: protobuf.Root, name: string): protobuf.Type | undefined {
  const found = lookedUp(root, name);
  return found instanceof protobuf.Type ? found : undefined;
}

/** protobufjs looks for `long` by itself, and where it finds none 64-bit integers lose digits. */
function keepLongs(): void {
  if (protobuf.util.Long === Long) return;
  protobuf.util.Long = Long;
  protobuf.configure();
}

/** By the full name only: protobufjs would also find a part of one. */
function lookedUp(root: protobuf.Root, name: string): protobuf.ReflectionObject | undefined {
  const found = root.lookup(name);
  return found?.fullName === `.${name}` ? found : undefined;
}

function rootOfText(text: string): protobuf.Root {
  const root = new protobuf.Root();
  const { imports = [], weakImports = [] } = protobuf.parse(text, root, { keepCase: true });
  for (const path of [...imports, ...weakImports]) {
    const known = protobuf.common.get(path);
    if (known === null) {
      throw new Error(`cannot import ${path}: give a descriptor set of protoc --include_imports`);
    }
    root.addJSON(known.nested ?? {});
  }
  return root;
}

function rootOfSet(bytes: Buffer): protobuf.Root {
  return protobuf.Root.fromDescriptor(bytes, { keepCase: true });
}
