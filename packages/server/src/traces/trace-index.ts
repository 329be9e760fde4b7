import { l7FlowLog, qualifiedName, sortKey, TRACE_INTERVAL_S, traceIndex } from '@thalweg/model';
import { keyOfId, keyOfRun } from '../trace-key.ts';

const [INTERVAL = ''] = sortKey(l7FlowLog);

/**
 * Condition on a row of l7_flow_log: it lies in an interval that holds one of the ids whose keys are
 * `{keys:Array(UInt32)}`. Others may share a key: the condition on the id itself must follow.
 */
export const IN_INDEXED_INTERVALS = `${INTERVAL} IN (
  SELECT intDiv(toUnixTimestamp(time), ${TRACE_INTERVAL_S}) FROM ${qualifiedName(traceIndex)} WHERE key IN {keys:Array(UInt32)})`;

/** The key of a wire id or a root, given as a decimal number. */
export function keyOf(id: string): number {
  return keyOfId(...halvesOf(id));
}

/** The key of the run that a row id, given as a decimal number, is in. */
export function runKeyOf(id: string): number {
  return keyOfRun(...halvesOf(id));
}

function halvesOf(id: string): [low: number, high: number] {
  const whole = BigInt(id);
  return [Number(whole & 0xffffffffn), Number(whole >> 32n)];
}
