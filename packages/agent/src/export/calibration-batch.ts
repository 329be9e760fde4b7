import { type Batch, createBatch, linkCalibration } from '@thalweg/model';
import type { ServiceCalibration } from '../trace/calibration.ts';

/** Rows of `link_calibration`; undefined when there is nothing to tell. */
export function calibrationBatch(
  services: readonly ServiceCalibration[],
  agent: string,
  nowMs: number,
): Batch<typeof linkCalibration.columns> | undefined {
  if (services.length === 0) return undefined;
  const batch = createBatch(linkCalibration);
  for (const { service, right, wrong, open, solidRight, solidWrong } of services) {
    batch.push({
      time: Math.floor(nowMs / 1e3),
      agent,
      app_service: service,
      right,
      wrong,
      open,
      solid_right: solidRight,
      solid_wrong: solidWrong,
    });
  }
  return batch;
}
