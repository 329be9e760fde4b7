import type { Connection } from '../flow/exchange.ts';
import {
  createOpenRequests,
  forgetAbandoned,
  type OpenRequest,
  type OpenRequests,
} from './open-request.ts';
import type { ResolverOptions } from './resolver-options.ts';
import { createTrustCounts, inheritTrustCounts, type TrustCounts } from './trust.ts';

/** The open requests of each process. */
export interface ProcessRequests<Call> {
  /** Of the connection's process, without those whose clients left long before `nowNs`. */
  of(connection: Connection, nowNs: number): OpenRequests<Call>;
}

/** Processes whose empty lists are kept; past it those are forgotten. */
const PROCESSES_MAX = 4096;

/** `onForgotten` hears of each request for which nothing is done any more: its client left. */
export function createProcessRequests<Call>(
  programOf: ResolverOptions['programOf'],
  onForgotten: (one: OpenRequest<Call>) => void,
): ProcessRequests<Call> {
  const processes = new Map<number, OpenRequests<Call>>();
  const trustByProgram = new Map<string, TrustCounts>();
  let last: OpenRequests<Call> | undefined;

  function find(connection: Connection, nowNs: number): OpenRequests<Call> {
    const { pid } = connection;
    if (last?.pid === pid) return last;
    let found = processes.get(pid);
    if (found === undefined) {
      if (processes.size >= PROCESSES_MAX) forgetIdle(nowNs);
      found = createOpenRequests<Call>(pid, firstTrust(connection));
      processes.set(pid, found);
    }
    last = found;
    return found;
  }

  /** What another process of its program has taught, else nothing. */
  function firstTrust(connection: Connection): TrustCounts {
    const program = programOf?.(connection) ?? '';
    if (program === '') return createTrustCounts();
    const known = trustByProgram.get(program);
    const counts = known === undefined ? createTrustCounts() : inheritTrustCounts(known);
    if (trustByProgram.size >= PROCESSES_MAX) trustByProgram.clear();
    trustByProgram.set(program, counts);
    return counts;
  }

  function forgetIdle(nowNs: number): void {
    for (const [pid, of] of processes) {
      forgetLeft(of, nowNs);
      if (of.count === 0) processes.delete(pid);
    }
    last = undefined;
  }

  function forgetLeft(of: OpenRequests<Call>, nowNs: number): void {
    for (const one of forgetAbandoned(of, nowNs)) onForgotten(one);
  }

  return {
    of(connection, nowNs) {
      const found = find(connection, nowNs);
      forgetLeft(found, nowNs);
      return found;
    },
  };
}
