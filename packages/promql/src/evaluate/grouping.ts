import { NAME_LABEL } from '../labels.ts';
import type { Aggregation } from '../parse/ast.ts';
import type { Labels } from '../series-source.ts';

/** The groups of an aggregation, made when their first series comes. */
export interface Groups<Member> {
  of(labels: Labels): Member;
  /** In the order in which they were made. */
  readonly all: readonly Member[];
}

/** A level for each label that tells groups apart: a series costs a look-up a label, and no text. */
interface Branch<Member> {
  readonly next: Map<string, Branch<Member>>;
  member: Member | undefined;
}

export function grouping<Member>(
  { grouping: named, isWithout }: Pick<Aggregation, 'grouping' | 'isWithout'>,
  open: (labels: Labels) => Member,
): Groups<Member> {
  const names = [...new Set(isWithout ? [...named, NAME_LABEL] : named)].sort();
  const nameSet = new Set(names);
  const root: Branch<Member> = newBranch();
  const all: Member[] = [];

  /** By the values of the names alone; both lists are sorted by name. */
  function branchBy(labels: Labels): Branch<Member> {
    let branch = root;
    let at = 0;
    for (const name of names) {
      while (at < labels.length && (labels[at]?.[0] ?? '') < name) at += 1;
      const label = labels[at];
      branch = branchOf(branch, label?.[0] === name ? label[1] : '');
    }
    return branch;
  }

  function branchWithout(labels: Labels): Branch<Member> {
    let branch = root;
    for (const [name, value] of labels) {
      if (!nameSet.has(name)) branch = branchOf(branchOf(branch, name), value);
    }
    return branch;
  }

  return {
    all,
    of: (labels) => {
      const branch = isWithout ? branchWithout(labels) : branchBy(labels);
      if (branch.member === undefined) {
        branch.member = open(labels.filter(([name]) => nameSet.has(name) !== isWithout));
        all.push(branch.member);
      }
      return branch.member;
    },
  };
}

const newBranch = <Member>(): Branch<Member> => ({ next: new Map(), member: undefined });

function branchOf<Member>(branch: Branch<Member>, key: string): Branch<Member> {
  let next = branch.next.get(key);
  if (next === undefined) {
    next = newBranch();
    branch.next.set(key, next);
  }
  return next;
}
