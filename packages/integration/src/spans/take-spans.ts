import type { DecodedList } from '@thalweg/wire';
import { type Answer, type Fault, faultAnswer } from '../door/receiver.ts';
import { emptyFault, type Taken, takenBody, takenOf } from '../list-answer.ts';
import type { OtlpExport } from '../otlp/export.ts';
import type { Exported } from '../otlp/outcome.ts';
import { encodeSpans, type SpanGroup } from './foreign-span.ts';

/** Rows kept of a list of spans or segments, or why there are none. */
export type SpansTaken =
  | ({ readonly kind: 'taken' } & Taken)
  | { readonly kind: 'fault'; readonly fault: Fault; readonly rejected: number };

/** Keeps the groups; `list` is what they were made of, `noun` names one of its items. */
export async function takeSpans(
  list: DecodedList<unknown>,
  groups: readonly SpanGroup[],
  exportSpans: OtlpExport,
  noun: string,
): Promise<SpansTaken> {
  const exported = await exportSpans(encodeSpans(groups));
  const fault = exportedFault(exported);
  if (fault !== undefined || exported.status !== 'kept') {
    return { kind: 'fault', fault: fault ?? INTERNAL, rejected: 0 };
  }
  const { rows, rejected, reason } = exported;
  const taken = takenOf(list, rows, noun);
  const all: Taken = {
    rows,
    rejected: taken.rejected + rejected,
    firstRefusal: taken.firstRefusal || reason,
  };
  const empty = emptyFault(all);
  if (empty !== undefined) return { kind: 'fault', fault: empty, rejected: all.rejected };
  return { kind: 'taken', ...all };
}

const INTERNAL: Fault = { status: 500, code: 'internal', message: 'not kept' };

function exportedFault(exported: Exported): Fault | undefined {
  switch (exported.status) {
    case 'kept':
      return undefined;
    case 'malformed':
      return { status: 500, code: 'internal', message: `BUG: our own spans: ${exported.reason}` };
    case 'busy': {
      const { retryAfterS } = exported;
      return { status: 503, code: 'busy', message: 'the disk or the store is behind', retryAfterS };
    }
    case 'refused':
      return { status: 500, code: 'refused', message: exported.reason };
  }
}

/** `status` is what the protocol calls success. */
export function spansAnswer(taken: SpansTaken, status: 200 | 202): Answer {
  if (taken.kind === 'fault') return { ...faultAnswer(taken.fault), rejected: taken.rejected };
  const { rows, rejected } = taken;
  const reason = rejected > 0 ? 'span_invalid' : '';
  return { status, mediaType: 'application/json', body: takenBody(taken), rows, rejected, reason };
}
