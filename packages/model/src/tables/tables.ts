import type { AnyTable } from '../column.ts';
import { applicationLog } from './application-log.ts';
import { inProcessProfile, inProcessStack } from './in-process-profile.ts';
import { l7FlowLog, traceAlias, traceIndex } from './l7-flow-log.ts';
import { linkCalibration } from './link-calibration.ts';
import {
  prometheusExemplars,
  prometheusHistograms,
  prometheusMetadata,
  prometheusSamples,
  prometheusSeries,
} from './prometheus.ts';

/** Every table: schema, ingest, SQL catalogue and docs page go through this list. */
export const TABLES: readonly AnyTable[] = [
  l7FlowLog,
  traceAlias,
  traceIndex,
  linkCalibration,
  applicationLog,
  inProcessProfile,
  inProcessStack,
  prometheusSeries,
  prometheusSamples,
  prometheusHistograms,
  prometheusExemplars,
  prometheusMetadata,
];
