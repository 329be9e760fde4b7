import { type IpRanges, parseIpRanges } from '../core/match/ip-range.ts';

/** Names the first that is no address; undefined when all are. */
export function addressFault(list: readonly string[] = []): string | undefined {
  const bad = list.find((one) => parseIpRanges([one]) === undefined);
  return bad === undefined ? undefined : `invalid ip address: ${bad}`;
}

/** Ranges of a checked list; undefined when there is no list. */
export function rangesOf(list: readonly string[] | undefined): IpRanges | undefined {
  return list === undefined ? undefined : parseIpRanges(list);
}
