import type { MetricWriter } from '@thalweg/integration';

interface OwnSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Keeps the server's own metrics as series, labelled `job="thalweg"` and `instance`, each
 * `intervalS` seconds (0: never), so that PromQL can ask and alert on them. Answers how to stop.
 */
export function startSelfScrape(options: {
  readonly read: () => readonly OwnSample[];
  readonly writer: MetricWriter;
  readonly instance: string;
  readonly intervalS: number;
  readonly now: () => number;
}): () => void {
  const { read, writer, instance, intervalS, now } = options;
  if (intervalS === 0) return () => undefined;
  const scrape = (): void => {
    const nowMs = now();
    // What is not kept is missing for an interval, as of any target: the next one comes.
    void writer
      .write((batch) => {
        for (const { name, labels, value } of read()) {
          const pairs = Object.entries({ job: 'thalweg', instance, ...labels }).flat();
          if (batch.seriesLabels(['__name__', name, ...pairs])) batch.number(nowMs, value);
        }
        return '';
      })
      .catch(() => undefined);
  };
  const timer = setInterval(scrape, intervalS * 1e3);
  timer.unref();
  return () => clearInterval(timer);
}
