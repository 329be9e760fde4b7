import {
  type LinkCalibrationAnswer,
  type LinkCalibrationQuery,
  linkCalibration,
  qualifiedName,
} from '@thalweg/model';
import { apiError } from '../errors.ts';
import type { Store } from '../storage/store.ts';

/** What agents compared with ids in that time, of one service. All 0 when none did. */
export async function readLinkCalibration(
  store: Store,
  { service, start, end }: LinkCalibrationQuery,
): Promise<LinkCalibrationAnswer> {
  if (end < start) throw apiError('bad_time_range', { start, end });
  const { rows } = await store.query(
    `SELECT sum(right), sum(wrong), sum(open), sum(solid_right), sum(solid_wrong)
     FROM ${qualifiedName(linkCalibration)}
     WHERE app_service = {service:String} AND time >= toDateTime(intDiv({start:Int64}, 1000000))
       AND time <= toDateTime(intDiv({end:Int64}, 1000000) + 1)`,
    { params: { service, start, end } },
  );
  const [right, wrong, open, solidRight, solidWrong] = (rows[0] ?? []).map(Number);
  return {
    right: right ?? 0,
    wrong: wrong ?? 0,
    open: open ?? 0,
    solidRight: solidRight ?? 0,
    solidWrong: solidWrong ?? 0,
  };
}
