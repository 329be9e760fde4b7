import type { FieldShape, MessageShape } from './connect-codec.ts';

// Messages of Pyroscope's query API. Source: grafana/pyroscope, querier/v1/querier.proto and
// types/v1/types.proto.

const text = (number: number): FieldShape => ({ number, kind: 'text' });
const texts = (number: number): FieldShape => ({ number, kind: 'text', isRepeated: true });
const int64 = (number: number): FieldShape => ({ number, kind: 'int64' });
const int64s = (number: number): FieldShape => ({ number, kind: 'int64', isRepeated: true });
const list = (number: number, kind: MessageShape): FieldShape => ({
  number,
  kind,
  isRepeated: true,
});

const LABEL_PAIR: MessageShape = { name: text(1), value: text(2) };
const FLAME_GRAPH: MessageShape = {
  names: texts(1),
  levels: list(2, { values: int64s(1) }),
  total: int64(3),
  maxSelf: int64(4),
};

const MERGE_REQUEST = {
  profileTypeID: text(1),
  labelSelector: text(2),
  start: int64(3),
  end: int64(4),
  maxNodes: int64(5),
};
const FLAME_GRAPH_DIFF: MessageShape = {
  ...FLAME_GRAPH,
  leftTicks: int64(5),
  rightTicks: int64(6),
};
const VALUE_TYPE: MessageShape = { type: int64(1), unit: int64(2) };
/** Source: google/pprof, proto/profile.proto; what is filled here. */
const PROFILE: MessageShape = {
  sampleType: list(1, VALUE_TYPE),
  sample: list(2, { locationId: int64s(1), value: int64s(2) }),
  location: list(4, { id: int64(1), line: list(4, { functionId: int64(1) }) }),
  function: list(5, { id: int64(1), name: int64(2) }),
  stringTable: texts(6),
  timeNanos: int64(9),
  durationNanos: int64(10),
  periodType: { number: 11, kind: VALUE_TYPE },
};

/** Request and answer of each method of `querier.v1.QuerierService` that is answered here. */
export const QUERIER_METHODS = {
  ProfileTypes: {
    request: { start: int64(1), end: int64(2) },
    answer: {
      profileTypes: list(1, {
        ID: text(1),
        name: text(2),
        sampleType: text(4),
        sampleUnit: text(5),
        periodType: text(6),
        periodUnit: text(7),
      }),
    },
  },
  LabelNames: {
    request: { matchers: texts(1), start: int64(2), end: int64(3) },
    answer: { names: texts(1) },
  },
  LabelValues: {
    request: { name: text(1), matchers: texts(2), start: int64(3), end: int64(4) },
    answer: { names: texts(1) },
  },
  Series: {
    request: { matchers: texts(1), labelNames: texts(2), start: int64(3), end: int64(4) },
    answer: { labelsSet: list(2, { labels: list(1, LABEL_PAIR) }) },
  },
  SelectMergeStacktraces: {
    request: MERGE_REQUEST,
    answer: { flamegraph: { number: 1, kind: FLAME_GRAPH } },
  },
  SelectMergeProfile: { request: MERGE_REQUEST, answer: PROFILE },
  Diff: {
    request: {
      left: { number: 1, kind: MERGE_REQUEST },
      right: { number: 2, kind: MERGE_REQUEST },
    },
    answer: { flamegraph: { number: 1, kind: FLAME_GRAPH_DIFF } },
  },
  SelectMergeSpanProfile: {
    request: {
      profileTypeID: text(1),
      labelSelector: text(2),
      spanSelector: texts(3),
      start: int64(4),
      end: int64(5),
      maxNodes: int64(6),
    },
    answer: { flamegraph: { number: 1, kind: FLAME_GRAPH } },
  },
  SelectSeries: {
    request: {
      profileTypeID: text(1),
      labelSelector: text(2),
      start: int64(3),
      end: int64(4),
      groupBy: texts(5),
      step: { number: 6, kind: 'double' },
      aggregation: int64(7),
      limit: int64(9),
    },
    answer: {
      series: list(1, {
        labels: list(1, LABEL_PAIR),
        points: list(2, { value: { number: 1, kind: 'double' }, timestamp: int64(2) }),
      }),
    },
  },
  GetProfileStats: {
    request: {},
    answer: {
      dataIngested: { number: 1, kind: 'bool' },
      oldestProfileTime: int64(2),
      newestProfileTime: int64(3),
    },
  },
} as const satisfies Record<string, { request: MessageShape; answer: MessageShape }>;

export type QuerierMethod = keyof typeof QUERIER_METHODS;
