/** What `stats` asks for; times are seconds of the whole evaluation, which has no queue. */
export function statsJson(samplesRead: number, startedMs: number): string {
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
  });
}
