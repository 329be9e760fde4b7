import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createBatch,
  LinkCalibrationAnswer,
  l7FlowLog,
  linkCalibration,
  type RowOf,
  TraceAnswer,
} from '@thalweg/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Server, ServerSettings, startServer } from './index.ts';

type Row = RowOf<typeof l7FlowLog.columns>;

const folder = mkdtempSync(join(tmpdir(), 'thalweg-server-links-'));
const startUs = Date.now() * 1e3 - 60e6;
let server: Server;

beforeAll(async () => {
  const settings = ServerSettings.parse({ port: 0, data_dir: folder });
  server = await startServer(settings, { version: 'test', logLevel: 'silent' });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const BLANK = Object.fromEntries(
  Object.entries(l7FlowLog.columns).map(([name, { kind }]) => {
    if (kind === 'id') return [name, 0n];
    if (['texts', 'categories', 'ids', 'floats'].includes(kind)) return [name, []];
    return [name, kind === 'text' || kind === 'category' ? '' : 0];
  }),
);

function span(id: bigint, service: string, rest: Partial<Row>): Row {
  const filled = {
    ...BLANK,
    _id: id,
    time: Math.floor(startUs / 1e6),
    start_time: startUs + Number(id % 100n),
    end_time: startUs + 1_000,
    type: 2,
    signal_source: 3,
    app_service: service,
    ...rest,
  };
  return filled as Row; // BLANK has every column of the declaration.
}

/** A request to `front`, and a call of it that hangs by a link so sure; wire ids `base`, `base + 1`. */
function linked(base: bigint, probability: number): readonly Row[] {
  const call = { wire_id: base + 1n, parent_wire_id: base, link_probability: probability };
  return [
    span(base, 'front', { observation_point: 's-p', wire_id: base }),
    span(base + 10n, 'front', { observation_point: 'c-p', link_evidence: 2, ...call }),
    span(base + 20n, 'back', { observation_point: 's-p', wire_id: base + 1n }),
  ];
}

async function post(table: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const answer = await fetch(`${server.url}/api/ingest/${table}`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/octet-stream',
      'x-thalweg-agent': 'test',
      'x-thalweg-token': table,
    },
  });
  expect(answer.status).toBe(200);
}

/** Services of the trace of a wire id, in tree order; undefined while it is not there. */
async function servicesOf(wireId: bigint): Promise<readonly string[] | undefined> {
  const answer = await fetch(`${server.url}/api/traces/${wireId}`);
  if (answer.status === 404) return undefined;
  return TraceAnswer.parse(await answer.json()).spans.map(({ service }) => service);
}

test('a sure link unites two traces; an unsure one is followed from below only, by one hop', async () => {
  const [sure, unsure] = [1_000n, 2_000n];
  const batch = createBatch(l7FlowLog);
  for (const one of [...linked(sure, 0.9), ...linked(unsure, 0.89)]) batch.push(one);
  await post(l7FlowLog.name, batch.encode());
  await expect.poll(() => servicesOf(unsure + 1n), { timeout: 20_000 }).toBeDefined();
  const whole = ['front', 'front', 'back'];
  expect(await servicesOf(sure)).toEqual(whole);
  expect(await servicesOf(sure + 1n)).toEqual(whole);
  expect(await servicesOf(unsure)).toEqual(['front']);
  expect(await servicesOf(unsure + 1n)).toEqual(whole);
});

test('what agents compared with ids is added up by service and time', async () => {
  const batch = createBatch(linkCalibration);
  const counts = { right: 90, wrong: 1, open: 9, solid_right: 80, solid_wrong: 0 };
  const time = Math.floor(startUs / 1e6);
  for (const at of [time - 20, time, time + 20]) {
    batch.push({ time: at, agent: 'test', app_service: 'front', ...counts });
  }
  batch.push({ time, agent: 'test', app_service: 'back', ...counts });
  await post(linkCalibration.name, batch.encode());
  const read = async (service: string): Promise<LinkCalibrationAnswer> => {
    const query = `service=${service}&start=${startUs - 5e6}&end=${startUs + 60e6}`;
    const answer = await fetch(`${server.url}/api/link-calibration?${query}`);
    return LinkCalibrationAnswer.parse(await answer.json());
  };
  const want = { right: 180, wrong: 2, open: 18, solidRight: 160, solidWrong: 0 };
  await expect.poll(() => read('front'), { timeout: 20_000 }).toEqual(want);
  expect(await read('nobody')).toEqual({
    right: 0,
    wrong: 0,
    open: 0,
    solidRight: 0,
    solidWrong: 0,
  });
});
