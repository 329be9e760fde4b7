import {
  type AttributeList,
  anyValueJson,
  attributesJson,
  createAnyView,
  intText,
  type OtlpScope,
  type ProtoCursor,
  readAnyValue,
} from '@thalweg/wire';
import { decodeText } from './decode-text.ts';

/** What a resource says of all its spans and records. */
export interface ResourceFacts {
  readonly service: string;
  readonly instance: string;
  readonly host: string;
  readonly containerId: string;
  readonly pid: number;
  readonly processName: string;
  /** The attributes as a JSON object; '' for none. */
  readonly json: string;
}

/** What the SDKs write where nobody named the service. */
const UNKNOWN_SERVICE = 'unknown_service';
/** Of the JSON, in UTF-16 units: a third of a text's limit. What follows is left out. */
export const JSON_UNITS_MAX = 20_000;

export function readResource(attributes: AttributeList, cursor: ProtoCursor): ResourceFacts {
  const texts = new Map<string, string>();
  const view = createAnyView();
  for (let i = 0; i < attributes.count; i++) {
    const name = decodeText(cursor.bytes, attributes.keyFrom[i] ?? 0, attributes.keyTo[i] ?? 0);
    readAnyValue(cursor, attributes.valueFrom[i] ?? 0, attributes.valueTo[i] ?? 0, view);
    if (view.kind === 'text') texts.set(name, decodeText(cursor.bytes, view.from, view.to));
    else if (view.kind === 'int') texts.set(name, intText(view));
  }
  const text = (...names: string[]): string => {
    for (const name of names) {
      const found = texts.get(name);
      if (found !== undefined && found !== '') return found;
    }
    return '';
  };
  const pid = Number(text('process.pid'));
  return {
    service: text('service.name') || UNKNOWN_SERVICE,
    instance: text('service.instance.id', 'k8s.pod.name', 'host.name', 'hostname'),
    host: text('host.name', 'hostname', 'k8s.node.name'),
    containerId: text('container.id'),
    pid: Number.isInteger(pid) && pid > 0 && pid < 2 ** 32 ? pid : 0,
    processName: text('process.executable.name', 'process.command'),
    json: attributes.count === 0 ? '' : boundedJson(cursor, attributes),
  };
}

/** The scope as a JSON object; '' when it says nothing. */
export function scopeJson({ name, version, attributes }: OtlpScope, cursor: ProtoCursor): string {
  const members: string[] = [];
  const add = (key: string, range: { from: number; to: number }): void => {
    const text = decodeText(cursor.bytes, range.from, range.to);
    if (text !== '') members.push(`"${key}":${JSON.stringify(text.slice(0, JSON_UNITS_MAX / 4))}`);
  };
  add('name', name);
  add('version', version);
  if (attributes.count > 0) members.push(`"attributes":${boundedJson(cursor, attributes)}`);
  return members.length === 0 ? '' : `{${members.join(',')}}`;
}

/** Attributes that fit, in the sender's order. */
function boundedJson(cursor: ProtoCursor, list: AttributeList): string {
  const whole = attributesJson(cursor, list, decodeText);
  if (whole.length <= JSON_UNITS_MAX) return whole;
  const members: string[] = [];
  let units = 2;
  for (let i = 0; i < list.count; i++) {
    const key = decodeText(cursor.bytes, list.keyFrom[i] ?? 0, list.keyTo[i] ?? 0);
    const from = list.valueFrom[i] ?? 0;
    const member = `${JSON.stringify(key)}:${anyValueJson(cursor, from, list.valueTo[i] ?? 0, decodeText)}`;
    units += member.length + 1;
    if (units > JSON_UNITS_MAX) break;
    members.push(member);
  }
  return `{${members.join(',')}}`;
}
