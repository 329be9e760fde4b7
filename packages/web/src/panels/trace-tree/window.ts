/** A part of a trace's time, in µs since its start. */
export interface TimeWindow {
  readonly fromUs: number;
  readonly toUs: number;
}

/** Closer than this there is nothing more to see: the kernel's clock is read in µs. */
const NARROWEST_US = 10;

/** The window moved and cut so that it lies in `[0, durationUs]`. */
export function clampWindow({ fromUs, toUs }: TimeWindow, durationUs: number): TimeWindow {
  const whole = Math.max(1, durationUs);
  const width = Math.min(whole, Math.max(NARROWEST_US, toUs - fromUs));
  const from = Math.max(0, Math.min(whole - width, fromUs));
  return { fromUs: from, toUs: from + width };
}

/** Scales about `centerUs`; a factor below 1 shows less time. */
export function zoomWindow(
  window: TimeWindow,
  factor: number,
  centerUs: number,
  durationUs: number,
): TimeWindow {
  const fromUs = centerUs - (centerUs - window.fromUs) * factor;
  return clampWindow({ fromUs, toUs: fromUs + (window.toUs - window.fromUs) * factor }, durationUs);
}

/** Moves by a share of the window's own width. */
export function panWindow(window: TimeWindow, share: number, durationUs: number): TimeWindow {
  const byUs = (window.toUs - window.fromUs) * share;
  return clampWindow({ fromUs: window.fromUs + byUs, toUs: window.toUs + byUs }, durationUs);
}

/** Round times inside of the window, about `count` of them. */
export function windowTicks({ fromUs, toUs }: TimeWindow, count: number): readonly number[] {
  const wanted = (toUs - fromUs) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(Math.max(1, wanted)));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= wanted) ?? 10);
  const ticks: number[] = [];
  for (let us = Math.ceil(fromUs / step) * step; us <= toUs; us += step) ticks.push(us);
  return ticks;
}

/** A bar's left edge and width as shares of the window; they may lie outside of [0, 1]. */
export function barShare(
  window: TimeWindow,
  startUs: number,
  endUs: number,
): { left: number; width: number } {
  const width = window.toUs - window.fromUs;
  return { left: (startUs - window.fromUs) / width, width: (endUs - startUs) / width };
}
