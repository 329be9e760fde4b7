import type { QueryAnswer } from '@thalweg/promql';

/**
 * What `stats` asks for; times are seconds of the whole evaluation, which has no queue. With
 * `stats=all`, on top of Prometheus's own, `trace`: each stage of the query with the series and
 * samples that it answered and its milliseconds, which hold those of its children.
 */
export function statsJson(
  { samplesRead, trace }: Pick<Extract<QueryAnswer, { kind: 'answer' }>, 'samplesRead' | 'trace'>,
  startedMs: number,
): string {
  const seconds = (performance.now() - startedMs) / 1e3;
  return JSON.stringify({
    timings: {
      evalTotalTime: seconds,
      resultSortTime: 0,
      queryPreparationTime: 0,
      innerEvalTime: seconds,
      execQueueTime: 0,
      execTotalTime: seconds,
    },
    samples: { totalQueryableSamples: samplesRead },
    ...(trace === undefined ? {} : { trace }),
  });
}
