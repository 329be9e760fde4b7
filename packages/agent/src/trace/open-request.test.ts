import { EVIDENCE_SHARED_ID, EVIDENCE_SINGLE_OPEN, EVIDENCE_THREAD } from '@thalweg/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RequestPart } from '../flow/exchange.ts';
import { CAUSE_THREAD } from '../flow/transfer.ts';
import {
  closeRequest,
  createOpenRequests,
  gather,
  type OpenRequest,
  openRequest,
} from './open-request.ts';
import { createTrustCounts } from './trust.ts';

const part = (turnId: number, requestId: string): RequestPart => ({
  startNs: 0,
  endNs: 0,
  sequence: turnId,
  answerSequence: 0,
  tid: 1,
  turnId,
  causeId: 0,
  causeKind: CAUSE_THREAD,
  size: 0,
  captured: 0,
  bodySize: 0,
  method: 'GET',
  path: '/',
  host: 'shop',
  version: '1.1',
  contentLength: undefined,
  trace: undefined,
  requestId,
  forwardedFor: '',
  answeredBeforeNs: -Infinity,
  note: undefined,
  headers: [],
});

const requestId = fc.constantFrom('', '', 'a', 'b');
const some = fc.record({
  ids: fc.array(requestId, { minLength: 1, maxLength: 9 }),
  closed: fc.array(fc.nat(), { maxLength: 6 }),
  caused: fc.option(fc.nat(), { nil: undefined }),
  called: requestId,
});

test('looking at a few open requests answers what looking at all of them would', () => {
  fc.assert(
    fc.property(some, ({ ids, closed, caused, called }) => {
      const of = createOpenRequests<never>(1, createTrustCounts());
      const opened = ids.map((id, at) => openRequest(of, part(at, id)));
      const open = new Set(opened);
      for (const pick of closed) {
        const one = opened[pick % opened.length];
        if (one !== undefined && open.delete(one)) closeRequest(one);
      }
      const left = [...open];
      const cause = caused === undefined ? undefined : left[caused % (left.length || 1)];
      const evidenceOf = (one: OpenRequest<never>): number =>
        (one.request.requestId !== '' && one.request.requestId === called
          ? EVIDENCE_SHARED_ID
          : 0) |
        (one === cause ? EVIDENCE_THREAD : 0) |
        (left.length === 1 ? EVIDENCE_SINGLE_OPEN : 0);
      const backed = left.filter((one) => evidenceOf(one) !== 0);
      const unbacked = left.filter((one) => evidenceOf(one) === 0);
      const isCrowded = unbacked.length > 3;
      const named = isCrowded && backed.length > 0 ? backed : [...backed, ...unbacked.slice(0, 3)];
      const { supports, unnamedCount } = gather(of, part(99, called), cause, 'none');
      expect(
        supports.map(({ candidate, evidence }) => [candidate.request.turnId, evidence]),
      ).toEqual(named.map((one) => [one.request.turnId, evidenceOf(one)]));
      expect(unnamedCount).toBe(left.length - named.length);
    }),
    { seed: 20_416, numRuns: 500 },
  );
});
