import { LINK_SOLID } from '@thalweg/model';

/** How one call was linked by evidence alone, against the request that its ids name. */
export interface Comparison {
  readonly verdict: 'right' | 'wrong' | 'open';
  /** Of the link that evidence alone gave; 0 for none. */
  readonly probability: number;
}

/** Calls of one service whose ids told the truth. */
export interface ServiceCalibration {
  readonly service: string;
  readonly right: number;
  readonly wrong: number;
  readonly open: number;
  readonly solidRight: number;
  readonly solidWrong: number;
}

export interface Calibration {
  add(service: string, comparison: Comparison): void;
  /** Since the start, the most compared first. */
  totals(): readonly ServiceCalibration[];
  /** What was added since the last call; services without news are left out. */
  takeNews(): readonly ServiceCalibration[];
}

type Counts = { -readonly [Key in keyof ServiceCalibration]: ServiceCalibration[Key] };

/** Services that are told apart; what others would add is not counted. */
const SERVICES_MAX = 256;

export function createCalibration(): Calibration {
  const totals = new Map<string, Counts>();
  const news = new Map<string, Counts>();
  return {
    add(service, comparison) {
      if (totals.size >= SERVICES_MAX && !totals.has(service)) return;
      count(countsOf(totals, service), comparison);
      count(countsOf(news, service), comparison);
    },
    totals: () => [...totals.values()].sort((a, b) => compared(b) - compared(a)),
    takeNews() {
      const taken = [...news.values()];
      news.clear();
      return taken;
    },
  };
}

function countsOf(of: Map<string, Counts>, service: string): Counts {
  let counts = of.get(service);
  if (counts === undefined) {
    counts = { service, right: 0, wrong: 0, open: 0, solidRight: 0, solidWrong: 0 };
    of.set(service, counts);
  }
  return counts;
}

function count(counts: Counts, { verdict, probability }: Comparison): void {
  counts[verdict] += 1;
  if (probability < LINK_SOLID) return;
  if (verdict === 'right') counts.solidRight += 1;
  if (verdict === 'wrong') counts.solidWrong += 1;
}

function compared({ right, wrong, open }: ServiceCalibration): number {
  return right + wrong + open;
}
