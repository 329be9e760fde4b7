import { type CommonKind, heldState } from '../../workers/hub.ts';
import {
  type Circuit,
  type CountPolicy,
  createCountingCircuit,
  createRatioCircuit,
  type RatioPolicy,
} from './circuit.ts';

export type CircuitPolicy =
  | ({ readonly kind: 'count' } & CountPolicy)
  | ({ readonly kind: 'ratio' } & RatioPolicy);

/** A circuit for each place that requests go to; of very many the oldest is forgotten. */
export interface CircuitBook {
  admit(place: string, nowMs: number): boolean;
  settle(place: string, status: number, nowMs: number): void;
}

export const CIRCUITS: CommonKind<CircuitBook, CircuitPolicy> = {
  name: 'circuits',
  make(policy) {
    const circuits = new Map<string, Circuit>();

    function circuitOf(place: string): Circuit {
      return heldState(circuits, place, () =>
        policy.kind === 'count' ? createCountingCircuit(policy) : createRatioCircuit(policy),
      );
    }

    return {
      admit: (place, nowMs) => circuitOf(place).admit(nowMs),
      settle: (place, status, nowMs) => circuitOf(place).settle(status, nowMs),
    };
  },
};
