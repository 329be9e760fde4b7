import { inProcessProfile, qualifiedName } from '@thalweg/model';
import { z } from 'zod';
import { apiError } from '../errors.ts';
import type { Store } from '../storage/store.ts';
import type { MessageValue } from './connect-codec.ts';
import { flameDiff } from './flame-diff.ts';
import { buildTree, type FlameGraph, flameGraph, shownStacks } from './flame-graph.ts';
import { readLabelNames, readLabelSets, readLabelValues, readProfileTypes } from './labels.ts';
import { mergedProfile } from './merged-profile.ts';
import { type ProfileFilter, type ProfileQuestion, profileFilter } from './profile-filter.ts';
import type { QuerierMethod } from './querier-messages.ts';
import { type ProfileType, parseProfileType, profileTypeId } from './selector.ts';
import { type ProfileSeries, readProfileSeries } from './series.ts';
import { readStacks } from './stacks.ts';

const NODES_DEFAULT = 16_384;
const NODES_MAX = 200_000;
const HOUR_MS = 3_600_000;
const AVERAGE = 1;
const AVERAGE_NAME = 'TIME_SERIES_AGGREGATION_TYPE_AVERAGE';

/** Numbers come as numbers from protobuf, as texts of digits from JSON. */
const Int = z.coerce.number().int().nonnegative();
const Texts = z.array(z.string().max(16_384)).max(64).default([]);

const Selection = z.object({
  start: Int.default(0),
  end: Int.default(0),
  name: z.string().max(256).default(''),
  matchers: Texts,
  labelNames: Texts,
  profileTypeID: z.string().max(1_024).default(''),
  labelSelector: z.string().max(16_384).default(''),
  spanSelector: Texts,
  maxNodes: Int.default(0),
  groupBy: Texts,
  step: z.coerce.number().nonnegative().default(0),
  aggregation: z
    .union([z.string().max(64), z.number()])
    .default(0)
    .transform((value) => value === AVERAGE || value === AVERAGE_NAME),
  limit: Int.default(0),
});
/** Every request's fields; each method reads its own. */
export const QuerierRequest = Selection.extend({
  left: Selection.optional(),
  right: Selection.optional(),
});
type Selected = z.infer<typeof Selection>;
type Asked = z.infer<typeof QuerierRequest>;

/** Answers a call of Pyroscope's querier. Throws `bad_request` for what is no selector or type. */
export async function answerQuerier(
  store: Store,
  method: QuerierMethod,
  asked: Asked,
  nowMs: number,
): Promise<MessageValue> {
  const filter = filterOf(asked, nowMs);
  switch (method) {
    case 'ProfileTypes':
      return { profileTypes: (await readProfileTypes(store, filter)).map(typeMessage) };
    case 'LabelNames':
      return { names: await readLabelNames(store, filter) };
    case 'LabelValues':
      return { names: await valuesOf(store, asked.name, filter) };
    case 'Series':
      return { labelsSet: await labelsSetOf(store, asked.labelNames, filter) };
    case 'SelectMergeStacktraces':
    case 'SelectMergeSpanProfile':
      return { flamegraph: flameMessage(await readFlameGraph(store, filter, asked.maxNodes)) };
    case 'SelectMergeProfile':
      return readProfile(store, filter, asked, nowMs);
    case 'Diff':
      return { flamegraph: await readDiff(store, asked, nowMs) };
    case 'SelectSeries':
      return { series: await seriesOf(store, filter, asked) };
    case 'GetProfileStats':
      return readStats(store);
  }
}

/** `nodesMax` 0: as many as Pyroscope shows. */
export async function readFlameGraph(
  store: Store,
  filter: ProfileFilter,
  nodesMax: number,
): Promise<FlameGraph> {
  return flameGraph(await buildTree(await readStacks(store, filter)), shownNodes(nodesMax));
}

const shownNodes = (asked: number): number =>
  Math.min(asked === 0 ? NODES_DEFAULT : asked, NODES_MAX);

/** Of both sides as many frames as the left one asks for. */
async function readDiff(
  store: Store,
  { left, right }: Asked,
  nowMs: number,
): Promise<MessageValue> {
  if (left === undefined || right === undefined) {
    throw apiError('bad_request', { reason: 'left and right: say what to compare with what' });
  }
  const [before, after] = await Promise.all(
    [left, right].map(async (side) => buildTree(await readStacks(store, filterOf(side, nowMs)))),
  );
  if (before === undefined || after === undefined) throw new Error('BUG: two sides, two trees');
  const diff = await flameDiff(before, after, shownNodes(left.maxNodes));
  return { ...diff, levels: diff.levels.map((values) => ({ values })) };
}

async function readProfile(
  store: Store,
  filter: ProfileFilter,
  asked: Selected,
  nowMs: number,
): Promise<MessageValue> {
  const type = parseProfileType(asked.profileTypeID);
  if (type === undefined) {
    throw apiError('bad_request', {
      reason: 'profileTypeID: name:type:unit:period_type:period_unit',
    });
  }
  const all = await readStacks(store, filter);
  const stacks =
    asked.maxNodes === 0 ? all : await shownStacks(await buildTree(all), asked.maxNodes);
  return mergedProfile(stacks, { type, ...rangeOf(asked, nowMs) });
}

/** Without a range: the last hour. */
function rangeOf({ start, end }: Selected, nowMs: number): { startMs: number; endMs: number } {
  const endMs = end === 0 ? nowMs : end;
  return { startMs: start === 0 ? endMs - HOUR_MS : start, endMs };
}

function filterOf(asked: Selected, nowMs: number): ProfileFilter {
  const { matchers, profileTypeID, labelSelector, spanSelector } = asked;
  const question: ProfileQuestion = {
    ...rangeOf(asked, nowMs),
    selectors: [...matchers, labelSelector],
    profileType: profileTypeID,
    spanIds: spanSelector,
  };
  return profileFilter(question);
}

function typeMessage(type: ProfileType): MessageValue {
  const { event, unit } = type;
  return {
    ID: profileTypeId(type),
    name: event,
    sampleType: event,
    sampleUnit: unit,
    periodType: event,
    periodUnit: unit,
  };
}

async function valuesOf(
  store: Store,
  name: string,
  filter: ProfileFilter,
): Promise<readonly string[]> {
  if (name !== '__profile_type__') return readLabelValues(store, name, filter);
  return (await readProfileTypes(store, filter)).map(profileTypeId);
}

const pairs = (labels: ProfileSeries['labels']): MessageValue[] =>
  labels.map(([name, value]) => ({ name, value }));

async function labelsSetOf(
  store: Store,
  asked: readonly string[],
  filter: ProfileFilter,
): Promise<MessageValue[]> {
  const all = [...(await readLabelNames(store, filter)), '__profile_type__'];
  const names = asked.length === 0 ? all : asked;
  if (names.length === 0) return [];
  const sets = await readLabelSets(store, names, filter);
  return sets.map((labels) => ({ labels: pairs(labels) }));
}

async function seriesOf(
  store: Store,
  filter: ProfileFilter,
  { step, groupBy, aggregation, limit }: Asked,
): Promise<MessageValue[]> {
  const options = { stepS: step, groupBy, isAverage: aggregation };
  const series = await readProfileSeries(store, filter, options);
  const sum = ({ points }: ProfileSeries): number =>
    points.reduce((all, { value }) => all + value, 0);
  const shown = limit > 0 ? series.toSorted((a, b) => sum(b) - sum(a)).slice(0, limit) : series;
  return shown.map(({ labels, points }) => ({
    labels: pairs(labels),
    points: points.map(({ timeMs, value }) => ({ value, timestamp: timeMs })),
  }));
}

function flameMessage({ names, levels, total, maxSelf }: FlameGraph): MessageValue {
  return { names, levels: levels.map((values) => ({ values })), total, maxSelf };
}

async function readStats(store: Store): Promise<MessageValue> {
  const { rows } = await store.query(
    `SELECT count() > 0, toUnixTimestamp(min(time)), toUnixTimestamp(max(time))
     FROM ${qualifiedName(inProcessProfile)}`,
  );
  const [hasData, oldest, newest] = (rows[0] ?? []).map(Number);
  return {
    dataIngested: hasData === 1,
    oldestProfileTime: (oldest ?? 0) * 1e3,
    newestProfileTime: (newest ?? 0) * 1e3,
  };
}
