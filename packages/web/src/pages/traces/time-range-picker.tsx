import { type ReactNode, useEffect, useRef, useState } from 'react';
import { formatClock, formatDateTime } from '../../ui/format.ts';
import { resolveRange, type TimeRange } from './state.ts';

const PRESETS: readonly { minutes: number; name: string }[] = [
  { minutes: 5, name: '5 minutes' },
  { minutes: 15, name: '15 minutes' },
  { minutes: 60, name: '1 hour' },
  { minutes: 360, name: '6 hours' },
  { minutes: 1_440, name: '24 hours' },
  { minutes: 4_320, name: '3 days' },
];

interface TimeRangePickerProps {
  readonly range: TimeRange;
  readonly nowUs: number;
  onChange(range: TimeRange): void;
}

/** How the range reads: `Last 15 minutes`, or both ends. */
export function rangeName(range: TimeRange): string {
  if (range.kind === 'last') {
    const preset = PRESETS.find(({ minutes }) => minutes === range.minutes);
    return `Last ${preset?.name ?? `${range.minutes} minutes`}`;
  }
  const end = formatDateTime(range.endUs);
  const start = formatDateTime(range.startUs);
  const isOneDay = start.slice(0, 10) === end.slice(0, 10);
  return `${start.slice(0, 19)} – ${isOneDay ? formatClock(range.endUs).slice(0, 8) : end.slice(0, 19)}`;
}

/** Presets that end now, and two fields for a range that stands still. */
export function TimeRangePicker({ range, nowUs, onChange }: TimeRangePickerProps): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const onPointerDown = (event: PointerEvent): void => {
      const isInside = event.target instanceof Node && frame.current?.contains(event.target);
      if (isInside !== true) setOpen(false);
    };
    window.addEventListener('pointerdown', onPointerDown);
    return () => window.removeEventListener('pointerdown', onPointerDown);
  }, [isOpen]);
  const choose = (next: TimeRange): void => {
    setOpen(false);
    onChange(next);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the panel from inside.
    <div
      ref={frame}
      className="picker"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !isOpen) return;
        event.stopPropagation();
        setOpen(false);
      }}
    >
      <button
        type="button"
        className="button"
        aria-expanded={isOpen}
        aria-haspopup="dialog"
        title="Time range (t)"
        data-key="t"
        onClick={() => setOpen(!isOpen)}
      >
        <span className="num">{rangeName(range)}</span>
        <span aria-hidden="true">▾</span>
      </button>
      {isOpen && (
        <div className="popover" role="dialog" aria-label="Time range">
          <div className="presets">
            {PRESETS.map(({ minutes, name }) => (
              <button
                key={minutes}
                type="button"
                aria-pressed={range.kind === 'last' && range.minutes === minutes}
                onClick={() => choose({ kind: 'last', minutes })}
              >
                Last {name}
              </button>
            ))}
          </div>
          <AbsoluteRange range={range} nowUs={nowUs} onChange={choose} />
        </div>
      )}
    </div>
  );
}

/** Local time as an `<input type=datetime-local>` reads it, to the second. */
function toField(us: number): string {
  return formatDateTime(us).slice(0, 19).replace(' ', 'T');
}

function AbsoluteRange({ range, nowUs, onChange }: TimeRangePickerProps): ReactNode {
  const { start, end } = resolveRange(range, nowUs);
  const [from, setFrom] = useState(toField(start));
  const [to, setTo] = useState(toField(end));
  const startUs = Date.parse(from) * 1_000;
  const endUs = Date.parse(to) * 1_000;
  const isRange = startUs >= 0 && startUs < endUs;
  return (
    <form
      className="absolute"
      onSubmit={(event) => {
        event.preventDefault();
        if (isRange) onChange({ kind: 'between', startUs, endUs });
      }}
    >
      <label>
        From
        <input
          type="datetime-local"
          step="1"
          value={from}
          onChange={(e) => setFrom(e.target.value)}
        />
      </label>
      <label>
        To
        <input type="datetime-local" step="1" value={to} onChange={(e) => setTo(e.target.value)} />
      </label>
      {!isRange && <p className="tone-error">the start must lie before the end</p>}
      <button type="submit" className="button button-main" disabled={!isRange}>
        Apply
      </button>
    </form>
  );
}
