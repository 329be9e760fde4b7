import {
  keepPreviousData,
  QueryClient,
  type UseInfiniteQueryResult,
  type UseQueryResult,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query';
import {
  LatencyAnswer,
  LinkCalibrationAnswer,
  TraceAnswer,
  TraceSearchAnswer,
  ValuesAnswer,
} from '@thalweg/model';
import { ApiFailure, apiPath, getJson, type Parameters } from './api.ts';

const PAGE_ROWS = 200;
const RETRIES_MAX = 2;
const VALUES_FRESH_MS = 30_000;

/** The query cache. Only what may heal by itself is asked again. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        refetchOnWindowFocus: false,
        // The server may be on this machine: without a network it is asked all the same.
        networkMode: 'always',
        staleTime: Number.POSITIVE_INFINITY,
        retry: (failures, error) => {
          const isRefusal = error instanceof ApiFailure && error.status < 500 && error.status > 0;
          return !isRefusal && failures < RETRIES_MAX;
        },
        retryDelay: (attempt) => 300 * 2 ** attempt,
      },
    },
  });
}

/** Found traces, page after page, the newest first. Old ones stay while new ones load. */
export function useTraceSearch(
  filters: Parameters,
): UseInfiniteQueryResult<readonly TraceSearchAnswer[]> {
  return useInfiniteQuery({
    queryKey: ['traces', filters],
    initialPageParam: undefined as string | undefined, // Widens: a literal infers only undefined.
    queryFn: ({ pageParam, signal }) =>
      getJson(
        TraceSearchAnswer,
        apiPath('/api/traces', { ...filters, limit: PAGE_ROWS, cursor: pageParam }),
        signal,
      ),
    getNextPageParam: (last) => last.cursor,
    placeholderData: keepPreviousData,
    select: (data) => data.pages,
  });
}

/** Requests by time and latency, for the heat map. */
export function useLatency(filters: Parameters): UseQueryResult<LatencyAnswer> {
  return useQuery({
    queryKey: ['latency', filters],
    queryFn: ({ signal }) => getJson(LatencyAnswer, apiPath('/api/latency', filters), signal),
    placeholderData: keepPreviousData,
  });
}

/** One trace with all its spans. */
export function useTrace(id: string): UseQueryResult<TraceAnswer> {
  return useQuery({
    queryKey: ['trace', id],
    queryFn: ({ signal }) => getJson(TraceAnswer, `/api/traces/${encodeURIComponent(id)}`, signal),
  });
}

/** How right a service's links are, where ids tell; times in µs. */
export function useLinkCalibration(
  service: string,
  range: { readonly start: number; readonly end: number },
): UseQueryResult<LinkCalibrationAnswer> {
  return useQuery({
    queryKey: ['link-calibration', service, range.start, range.end],
    queryFn: ({ signal }) =>
      getJson(
        LinkCalibrationAnswer,
        apiPath('/api/link-calibration', { service, ...range }),
        signal,
      ),
    staleTime: VALUES_FRESH_MS,
  });
}

/** Values of a field for completion. Asks nothing while `field` is undefined. */
export function useValues(
  field: string | undefined,
  prefix: string,
  range: { readonly start: number; readonly end: number },
): UseQueryResult<ValuesAnswer> {
  return useQuery({
    queryKey: ['values', field, prefix, range.start, range.end],
    queryFn: ({ signal }) =>
      getJson(ValuesAnswer, apiPath('/api/values', { field, prefix, ...range, limit: 12 }), signal),
    enabled: field !== undefined,
    staleTime: VALUES_FRESH_MS,
    placeholderData: keepPreviousData,
  });
}
