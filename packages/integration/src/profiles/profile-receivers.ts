import { type Decoded, decoded, decodePprof, decodePyroscopePush, invalid } from '@thalweg/wire';
import { type Answer, faultAnswer, type Receiver } from '../door/receiver.ts';
import { takenBody, writtenFault } from '../list-answer.ts';
import type { ReceiverContext } from '../receivers.ts';
import { type ProfileRows, writeProfileRows } from './profile-rows.ts';
import { type ProfileUpload, stackValuesOf, VALUES_MAX } from './profile-upload.ts';
import { readUpload, unzipped } from './read-upload.ts';
import { createStackBook, type StackBook } from './stack-book.ts';

/** Of a request, and of each profile in it when unpacked. */
const BYTES_MAX = 32 * 2 ** 20;

/** Pyroscope clients' `/ingest`, under DeepFlow's path too, and the push API of Grafana's agents. */
export function profileReceivers(context: ReceiverContext): Receiver[] {
  const book = createStackBook();
  const nowUs = (): number => context.now() * 1e3;
  return [
    {
      name: 'profiles',
      paths: ['/ingest', '/api/v1/profile/ingest'],
      bodyBytesMax: BYTES_MAX,
      handle: async (request) => {
        const upload = await readUpload(request, BYTES_MAX, nowUs());
        const uploads: Decoded<readonly ProfileUpload[]> =
          upload.kind === 'invalid' ? upload : decoded([upload.value]);
        return keepUploads(uploads, context, book, '');
      },
    },
    {
      name: 'profiles_push',
      paths: ['/push.v1.PusherService/Push'],
      mediaTypes: ['application/proto', 'application/protobuf', 'application/x-protobuf'],
      bodyBytesMax: BYTES_MAX,
      handle: async ({ body }) =>
        keepUploads(await readPush(body, nowUs()), context, book, 'application/proto'),
    },
  ];
}

/** An empty message is success in Connect's protocol; `/ingest` gets JSON. */
async function keepUploads(
  uploads: Decoded<readonly ProfileUpload[]>,
  context: ReceiverContext,
  book: StackBook,
  messageType: string,
): Promise<Answer> {
  if (uploads.kind === 'invalid') {
    return faultAnswer({ status: 400, code: 'profile_invalid', message: uploads.reason });
  }
  let results: ProfileRows[] = [];
  const written = await context.buffer.write((open) => {
    results = uploads.value.map((upload) => writeProfileRows(upload, open, context, book));
    return undefined;
  });
  const fault = writtenFault(written);
  if (fault !== undefined) return faultAnswer(fault);
  const nowMs = context.now();
  for (const entry of results.flatMap(({ stacks }) => stacks)) entry.namedMs = nowMs;
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
  const rows = sum(results.map((result) => result.rows));
  const outOfTime = sum(results.map((result) => result.outOfTime));
  const negative = sum(uploads.value.map((upload) => upload.negative));
  const rejected = outOfTime + negative;
  const firstRefusal =
    outOfTime > 0 ? 'the time is out of what is kept' : negative > 0 ? 'a value below 0' : '';
  const counts = {
    rows,
    rejected,
    reason: outOfTime > 0 ? 'out_of_time' : firstRefusal && 'negative',
  };
  if (rows === 0 && outOfTime > 0) {
    return {
      ...faultAnswer({ status: 400, code: 'out_of_time', message: firstRefusal }),
      rejected,
    };
  }
  if (messageType !== '') return { status: 200, mediaType: messageType, ...counts };
  const body = takenBody({ rows, rejected, firstRefusal });
  return { status: 200, mediaType: 'application/json', body, ...counts };
}

async function readPush(body: Uint8Array, nowUs: number): Promise<Decoded<ProfileUpload[]>> {
  const series = decodePyroscopePush(body);
  if (series.kind === 'invalid') return series;
  const uploads: ProfileUpload[] = [];
  let values = 0;
  for (const { labels, profiles } of series.value) {
    for (const packed of profiles) {
      const upload = await pushedUpload(labels, packed, nowUs);
      if (upload.kind === 'invalid') return upload;
      values += upload.value.values.length;
      if (values > VALUES_MAX) return invalid(`more than ${VALUES_MAX} values`);
      uploads.push(upload.value);
    }
  }
  return decoded(uploads);
}

async function pushedUpload(
  labels: ProfileUpload['labels'],
  packed: Uint8Array,
  nowUs: number,
): Promise<Decoded<ProfileUpload>> {
  const find = (name: string): string => labels.find(([label]) => label === name)?.[1] ?? '';
  const app = find('service_name') || find('app') || find('job');
  if (app === '') return invalid('no label service_name');
  const bytes = await unzipped(packed, BYTES_MAX);
  if (bytes.kind === 'invalid') return bytes;
  const profile = decodePprof(bytes.value);
  if (profile.kind === 'invalid') return profile;
  const read = stackValuesOf(profile.value, undefined, undefined);
  if (typeof read === 'string') return invalid(read);
  const { timeNs, durationNs } = profile.value;
  const fromUs = timeNs > 0 ? Math.floor(timeNs / 1e3) : nowUs;
  const untilUs = Math.min(fromUs + Math.floor(durationNs / 1e3), Math.max(nowUs, fromUs));
  const language = find('__spy_name__');
  return decoded({ app, labels, language, fromUs, untilUs, ...read });
}
