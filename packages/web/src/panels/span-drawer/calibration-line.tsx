import type { ReactNode } from 'react';
import { useLinkCalibration } from '../../data/queries.ts';
import { formatCount, formatProbability } from '../../ui/format.ts';

interface CalibrationLineProps {
  readonly service: string;
  /** End of the trace, µs: what was measured in the day before is told. */
  readonly endUs: number;
}

const DAY_US = 86_400e6;

/** How right the links of a service are, where the ids of its traffic tell. */
export function CalibrationLine({ service, endUs }: CalibrationLineProps): ReactNode {
  const { data, isError } = useLinkCalibration(service, {
    start: endUs - DAY_US,
    end: endUs + DAY_US,
  });
  if (isError) return <p className="soft">How right links are could not be read.</p>;
  if (data === undefined) return <p className="soft">…</p>;
  const linked = data.right + data.wrong;
  if (linked + data.open === 0) {
    return (
      <p className="soft">
        Links of this service: estimated. None of its calls carried an id that tells the truth.
      </p>
    );
  }
  return (
    <p className="soft">
      Links of this service:{' '}
      {linked > 0 && (
        <>
          <b className="num">{formatProbability(data.right / linked)}</b> right,{' '}
        </>
      )}
      measured on <span className="num">{formatCount(linked)}</span> requests
      {data.open > 0 && `; ${formatCount(data.open)} more were left open`}.
    </p>
  );
}
