import {
  type Decoded,
  decoded,
  decodeFolded,
  decodeMultipart,
  decodePprof,
  decodeStackLines,
  invalid,
  isObject,
  multipartBoundary,
  type Profile,
  parseJson,
  readEpochUs,
  readProfileName,
} from '@thalweg/wire';
import { unpack } from '../door/body.ts';
import type { Received } from '../door/receiver.ts';
import { type ProfileUpload, type SampleTypeRules, stackValuesOf } from './profile-upload.ts';

/** Language by the name that a client gives itself. */
const LANGUAGES: Readonly<Record<string, string>> = {
  gospy: 'Golang',
  javaspy: 'Java',
  pyspy: 'python',
  rbspy: 'ruby',
  phpspy: 'PHP',
  dotnetspy: 'dotnet',
  nodespy: 'Node',
  ebpfspy: 'eBPF',
  'pyroscope-rs': 'Rust',
};

/** Events that clients append to an application's name: `shop.cpu`. */
const EVENT_SUFFIX =
  /\.(cpu|wall|itimer|samples|goroutines|(?:alloc|inuse)_(?:objects|space|bytes)|(?:mutex|block|lock)_(?:count|duration)|alloc_(?:in|outside)_\w+|exceptions|live)$/;

const JSON_LIMITS = { depthMax: 8, valuesMax: 1_000 };

interface Parts {
  readonly profile: Uint8Array;
  readonly previous: Uint8Array | undefined;
  readonly rules: SampleTypeRules | undefined;
}

/**
 * Reads what a Pyroscope client posts to `/ingest`: pprof (raw, gzipped or in a form, with the
 * profile before it and a sample_type_config), folded stacks or lines.
 */
export async function readUpload(
  request: Received,
  bytesMax: number,
  nowUs: number,
): Promise<Decoded<ProfileUpload>> {
  const { query } = request;
  const name = readProfileName(query.get('name') ?? '');
  if (typeof name === 'string') return invalid(name);
  const parts = partsOf(request);
  if (parts.kind === 'invalid') return parts;
  const bytes = await unzipped(parts.value.profile, bytesMax);
  if (bytes.kind === 'invalid') return bytes;
  const [, suffix = ''] = EVENT_SUFFIX.exec(name.app) ?? [];
  const service = name.labels.find(([label]) => label === 'service_name')?.[1] ?? '';
  const untilUs = readEpochUs(query.get('until') ?? '');
  const fromUs = readEpochUs(query.get('from') ?? '');
  const spy = query.get('spyName') ?? '';
  const read = await valuesOf(request, parts.value, bytes.value, suffix || 'cpu', bytesMax);
  if (read.kind === 'invalid') return read;
  const { values, negative, profile } = read.value;
  const ownFromUs = profile === undefined ? 0 : Math.floor(profile.timeNs / 1e3);
  const ownUntilUs = ownFromUs + Math.floor((profile?.durationNs ?? 0) / 1e3);
  const until = untilUs ?? (ownUntilUs > 0 ? ownUntilUs : nowUs);
  return decoded({
    app: service || (suffix === '' ? name.app : name.app.slice(0, -suffix.length - 1)),
    labels: name.labels,
    language: LANGUAGES[spy] ?? spy,
    fromUs: Math.min(fromUs ?? (ownFromUs > 0 ? ownFromUs : until), until),
    untilUs: until,
    values,
    negative,
  });
}

type Values = Pick<ProfileUpload, 'values' | 'negative'> & { readonly profile?: Profile };

async function valuesOf(
  { query, mediaType }: Received,
  { previous, rules }: Parts,
  bytes: Uint8Array,
  event: string,
  bytesMax: number,
): Promise<Decoded<Values>> {
  const format = formatOf(query.get('format') ?? '', mediaType, bytes);
  if (format === 'pprof') return pprofValues(bytes, previous, rules, bytesMax);
  if (format !== 'folded' && format !== 'lines') {
    return invalid(`format ${JSON.stringify(format.slice(0, 20))} is not pprof, folded or lines`);
  }
  const stacks = format === 'folded' ? decodeFolded(bytes) : decodeStackLines(bytes);
  if (stacks.kind === 'invalid') return stacks;
  const { items, firstRefusal } = stacks.value;
  if (firstRefusal !== undefined) {
    return invalid(`line ${firstRefusal.at + 1}: ${firstRefusal.reason}`);
  }
  const unit = query.get('units') ?? query.get('unit') ?? 'samples';
  const values = items.map((item) => ({ ...item, event, unit, labels: [] }));
  return decoded({ values: values.filter(({ value }) => value > 0), negative: 0 });
}

async function pprofValues(
  bytes: Uint8Array,
  previousBytes: Uint8Array | undefined,
  rules: SampleTypeRules | undefined,
  bytesMax: number,
): Promise<Decoded<Values>> {
  const profile = decodePprof(bytes);
  if (profile.kind === 'invalid') return profile;
  let previous: Profile | undefined;
  if (previousBytes !== undefined) {
    const unpacked = await unzipped(previousBytes, bytesMax);
    if (unpacked.kind === 'invalid') return unpacked;
    const before = decodePprof(unpacked.value);
    if (before.kind === 'invalid') return invalid(`prev_profile: ${before.reason}`);
    previous = before.value;
  }
  const read = stackValuesOf(profile.value, rules, previous);
  if (typeof read === 'string') return invalid(read);
  return decoded({ ...read, profile: profile.value });
}

function formatOf(format: string, mediaType: string, bytes: Uint8Array): string {
  if (format !== '') return format;
  if (mediaType === 'multipart/form-data' || mediaType === 'application/octet-stream')
    return 'pprof';
  // A profile begins with a field of wire type 2; a folded line with a letter.
  return bytes[0] === 0x0a ? 'pprof' : 'folded';
}

function partsOf({ headers, body }: Received): Decoded<Parts> {
  const boundary = multipartBoundary(headers['content-type'] ?? '');
  if (boundary === undefined) {
    return decoded({ profile: body, previous: undefined, rules: undefined });
  }
  const parts = decodeMultipart(body, boundary);
  if (parts.kind === 'invalid') return parts;
  const find = (name: string): Uint8Array | undefined =>
    parts.value.find((part) => part.name === name)?.bytes;
  const profile = find('profile');
  if (profile === undefined) return invalid('the form has no part named profile');
  const config = find('sample_type_config');
  const rules = config === undefined ? decoded(undefined) : rulesOf(config);
  if (rules.kind === 'invalid') return rules;
  return decoded({ profile, previous: find('prev_profile'), rules: rules.value });
}

function rulesOf(config: Uint8Array): Decoded<SampleTypeRules | undefined> {
  const json = parseJson(config, JSON_LIMITS);
  if (json.kind === 'invalid') return invalid(`sample_type_config: ${json.reason}`);
  if (!isObject(json.value)) return invalid('sample_type_config is no object');
  const rules = Object.entries(json.value).flatMap(([type, rule]) => {
    if (!isObject(rule)) return [];
    const text = (key: string): string => (typeof rule[key] === 'string' ? rule[key] : '');
    const isCumulative = rule['cumulative'] === true;
    return [[type, { unit: text('units'), displayName: text('display-name'), isCumulative }]];
  });
  return decoded(Object.fromEntries(rules) as SampleTypeRules); // Built of such rules just above.
}

/** Profiles are mostly gzipped by themselves, whatever the request's own encoding. */
export async function unzipped(bytes: Uint8Array, bytesMax: number): Promise<Decoded<Uint8Array>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return decoded(bytes);
  const unpacked = await unpack(bytes, 'gzip', bytesMax);
  return unpacked.kind === 'body' ? decoded(unpacked.bytes) : invalid(unpacked.fault.message);
}
