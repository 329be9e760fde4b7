import { BlockList, isIP } from 'node:net';

/** Answers kept: a check makes an object of Node's for each question, and the same clients come again. */
const ANSWERS_MAX = 4_096;

/** Addresses and CIDR ranges; undefined when one of them is neither. */
export interface IpRanges {
  has(address: string): boolean;
}

export function parseIpRanges(list: readonly string[]): IpRanges | undefined {
  const ranges = new BlockList();
  for (const text of list) {
    const [address = '', bits] = text.split('/');
    const family = familyOf(address);
    if (family === undefined) return undefined;
    const bitsMax = family === 'ipv4' ? 32 : 128;
    if (bits === undefined) ranges.addAddress(address, family);
    else if (!/^\d{1,3}$/.test(bits) || Number(bits) > bitsMax) return undefined;
    else ranges.addSubnet(address, Number(bits), family);
  }
  if (list.length === 0) return { has: () => false };
  const answers = new Map<string, boolean>();
  return {
    has(address) {
      const known = answers.get(address);
      if (known !== undefined) return known;
      const family = familyOf(address);
      const isIn = family !== undefined && ranges.check(address, family);
      if (answers.size >= ANSWERS_MAX) answers.clear();
      answers.set(address, isIn);
      return isIn;
    },
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address);
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : undefined;
}

/** An IPv4 address that a dual-stack socket shows as `::ffff:a.b.c.d`, in its own form. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
