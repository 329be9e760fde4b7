import type { SeriesSource } from '@thalweg/promql';
import type { Store } from '../../storage/store.ts';
import type { MetricCatalogue } from '../metric-catalogue.ts';
import type { Metrics } from '../metrics.ts';
import type { Parameters } from './parameters.ts';

export interface PrometheusRequest {
  readonly parameters: Parameters;
  /** The part of the path behind `label/`; else ''. */
  readonly name: string;
  /** Aborted when the client goes. */
  readonly signal: AbortSignal;
}

/** What the routes of the Prometheus API work with. */
export interface PrometheusContext {
  readonly source: SeriesSource;
  readonly catalogue: MetricCatalogue;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly version: string;
  readonly now: () => number;
}
