import {
  LatencyAnswer,
  LinkCalibrationAnswer,
  LinkCalibrationQuery,
  TraceAnswer,
  TraceSearchAnswer,
  TraceSearchQuery,
  ValuesAnswer,
  ValuesQuery,
} from '@thalweg/model';
import { readLatency } from '../traces/latency.ts';
import { readLinkCalibration } from '../traces/link-calibration.ts';
import { searchTraces } from '../traces/search.ts';
import { readTrace } from '../traces/trace.ts';
import { readValues } from '../traces/values.ts';
import { defineRoute } from './route.ts';

/** The UI's questions about traces. */
export const TRACE_ROUTES = [
  defineRoute({
    path: '/api/traces',
    doc: 'Searches traces, the newest first.',
    query: TraceSearchQuery,
    answer: TraceSearchAnswer,
    handle: async ({ query }, { store, agents }) => ({
      ...(await searchTraces(store, query)),
      lost: agents.lost(),
    }),
  }),
  defineRoute({
    path: '/api/traces/:id',
    doc: 'The trace of a root, wire id or span id (decimal), or of a trace id (hex).',
    answer: TraceAnswer,
    handle: ({ id }, { store }) => readTrace(store, id),
  }),
  defineRoute({
    path: '/api/values',
    doc: 'Values of a field for completion, the most frequent first.',
    query: ValuesQuery,
    answer: ValuesAnswer,
    handle: ({ query }, { store }) => readValues(store, query),
  }),
  defineRoute({
    path: '/api/latency',
    doc: 'Requests counted by time and latency. Takes the filters of /api/traces.',
    query: TraceSearchQuery.omit({ limit: true, cursor: true }),
    answer: LatencyAnswer,
    handle: ({ query }, { store }) => readLatency(store, query),
  }),
  defineRoute({
    path: '/api/link-calibration',
    doc: 'How right the links of a service are, where the ids of its traffic tell.',
    query: LinkCalibrationQuery,
    answer: LinkCalibrationAnswer,
    handle: ({ query }, { store }) => readLinkCalibration(store, query),
  }),
];
