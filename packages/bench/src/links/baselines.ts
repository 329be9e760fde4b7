import type { SpanRecord } from './span-record.ts';
import type { Truth } from './truth.ts';

/** What a rule would have linked: the parent's wire id for each call, 0n for none. */
export type Linker = (
  records: readonly SpanRecord[],
  truth: Truth,
) => ReadonlyMap<SpanRecord, bigint>;

interface Step {
  readonly atUs: number;
  readonly record: SpanRecord;
  readonly what: 'request-in' | 'call-out' | 'answer-in' | 'answer-out';
}

/** Every process's messages in order of time. At equal microseconds what comes in comes first. */
function stepsOf(records: readonly SpanRecord[]): readonly Step[] {
  const steps = records.flatMap((record): Step[] =>
    record.isServer
      ? [
          { atUs: record.startUs, record, what: 'request-in' },
          { atUs: record.endUs, record, what: 'answer-out' },
        ]
      : [
          { atUs: record.startUs, record, what: 'call-out' },
          { atUs: record.endUs, record, what: 'answer-in' },
        ],
  );
  const isIn = ({ what }: Step): boolean => what.endsWith('-in');
  return steps.sort((a, b) => a.atUs - b.atUs || Number(isIn(b)) - Number(isIn(a)));
}

/**
 * The last message that the thread read, used by one message that it writes. Source: DeepFlow's
 * paper and documentation: syscall_trace_id. A chain of answers leads back to the request.
 */
const lastIngress: Linker = (records) => {
  const last = new Map<number, SpanRecord | undefined>();
  const parents = new Map<SpanRecord, bigint>();
  const causeOf = new Map<SpanRecord, SpanRecord>();
  for (const { record, what } of stepsOf(records)) {
    if (what === 'request-in') last.set(record.tid, record);
    else if (what === 'answer-in') last.set(record.tid, causeOf.get(record));
    else if (what === 'answer-out') last.delete(record.tid);
    else {
      const cause = last.get(record.tid);
      last.delete(record.tid);
      if (cause === undefined) continue;
      causeOf.set(record, cause);
      parents.set(record, cause.wireId);
    }
  }
  return parents;
};

/** Walks the messages with the set of open requests of each process. */
function byOpen(
  pick: (open: readonly SpanRecord[], taken: ReadonlySet<SpanRecord>) => SpanRecord | undefined,
): Linker {
  return (records) => {
    const open = new Map<number, SpanRecord[]>();
    const taken = new Set<SpanRecord>();
    const parents = new Map<SpanRecord, bigint>();
    for (const { record, what } of stepsOf(records)) {
      const ofProcess = open.get(record.pid) ?? [];
      open.set(record.pid, ofProcess);
      if (what === 'request-in') ofProcess.push(record);
      else if (what === 'answer-out') ofProcess.splice(ofProcess.indexOf(record), 1);
      else if (what === 'call-out') {
        const parent = pick(ofProcess, taken);
        if (parent === undefined) continue;
        taken.add(parent);
        parents.set(record, parent.wireId);
      }
    }
    return parents;
  };
}

export const BASELINES = {
  deepflow: lastIngress,
  fifo: byOpen((open, taken) => open.find((one) => !taken.has(one))),
  single_open: byOpen((open) => (open.length === 1 ? open[0] : undefined)),
  latest_open: byOpen((open) => open.at(-1)),
} as const satisfies Record<string, Linker>;
