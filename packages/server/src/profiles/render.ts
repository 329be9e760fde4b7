import type { FlameGraph } from './flame-graph.ts';
import type { ProfileSeries } from './series.ts';

/**
 * A point in time as Pyroscope's UI writes it: `now`, `now-1h`, or seconds or milliseconds since the
 * epoch. Answers milliseconds; undefined when it is none of these.
 */
export function readTimeMs(text: string, nowMs: number): number | undefined {
  const relative = /^now(?:-(\d{1,9})(s|m|h|d|w))?$/.exec(text);
  if (relative !== null) {
    return nowMs - Number(relative[1] ?? 0) * (UNITS_MS[relative[2] ?? 's'] ?? 0);
  }
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value < 1e11 ? value * 1e3 : value;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1e3,
  m: 60e3,
  h: 3_600e3,
  d: 86_400e3,
  w: 604_800e3,
};

/** `type:id:of:a:profile{selector}`, or either of them alone. */
export function splitQuery(query: string): { profileType: string; selector: string } {
  const open = query.indexOf('{');
  if (open < 0) return { profileType: query.trim(), selector: '' };
  return { profileType: query.slice(0, open).trim(), selector: query.slice(open) };
}

/** What `/pyroscope/render` answers: FlamebearerProfileV1. Source: Pyroscope's API reference. */
export function renderAnswer(
  graph: FlameGraph,
  series: readonly ProfileSeries[],
  options: {
    readonly unit: string;
    readonly name: string;
    readonly startMs: number;
    readonly stepS: number;
  },
): object {
  const { names, levels, total, maxSelf } = graph;
  const startS = Math.floor(options.startMs / 1e3 / options.stepS) * options.stepS;
  const samples: number[] = [];
  for (const { timeMs, value } of series[0]?.points ?? []) {
    const at = Math.floor((timeMs / 1e3 - startS) / options.stepS);
    if (at < 0 || at > 20_000) continue;
    while (samples.length < at) samples.push(0);
    samples[at] = value;
  }
  return {
    version: 1,
    flamebearer: { names, levels, numTicks: total, maxSelf },
    metadata: {
      format: 'single',
      spyName: '',
      sampleRate: options.unit === 'nanoseconds' ? 1e9 : 100,
      units: options.unit === 'nanoseconds' ? 'samples' : options.unit,
      name: options.name,
    },
    timeline: { startTime: startS, samples, durationDelta: options.stepS, watermarks: {} },
  };
}
