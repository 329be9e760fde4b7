import { type Block, idsOf, valuesOf } from '@thalweg/model';

/** What the evaluator needs of a row. Ids are those of the wire; 0n is unknown. */
export interface SpanRecord {
  readonly isServer: boolean;
  readonly pid: number;
  readonly tid: number;
  readonly path: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly wireId: bigint;
  readonly parentWireId: bigint;
  readonly probability: number;
}

export function recordsOf(block: Block): SpanRecord[] {
  const column = (name: string): readonly unknown[] => valuesOf(block, name);
  const points = column('observation_point');
  const [pids, callerPids] = [column('process_id_1'), column('process_id_0')];
  const [tids, callerTids] = [column('syscall_thread_1'), column('syscall_thread_0')];
  const paths = column('request_resource');
  const starts = column('start_time');
  const ends = column('end_time');
  const probabilities = column('link_probability');
  const [wireIds, parents] = [idsOf(block, 'wire_id'), idsOf(block, 'parent_wire_id')];
  return points.map((point, row) => {
    const isServer = point === 's-p';
    return {
      isServer,
      pid: Number((isServer ? pids : callerPids)[row]),
      tid: Number((isServer ? tids : callerTids)[row]),
      path: String(paths[row]),
      startUs: Number(starts[row]),
      endUs: Number(ends[row]),
      wireId: wireIds[row] ?? 0n,
      parentWireId: parents[row] ?? 0n,
      probability: Number(probabilities[row]),
    };
  });
}
