import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { LINK_SOLID } from '@thalweg/model';
import { describe, expect, test } from 'vitest';
import { createFlow } from '../../flow/flow.ts';
import { losing } from '../../flow/losing.ts';
import { createResolver, type TracedExchange } from '../resolver.ts';
import { readRecording, recordLine } from './recording.ts';

// The resolver without a kernel: what the kernel reported of real programs, and what is true by the
// ids in their paths, which the resolver does not look at. Each file is a case of the links bench.

const folder = fileURLToPath(new URL('.', import.meta.url));
const textOf = (name: string): string =>
  gunzipSync(readFileSync(`${folder}${name}.jsonl.gz`)).toString('utf8');
const names = readdirSync(folder).flatMap((name) => /^(.*)\.jsonl\.gz$/.exec(name)?.[1] ?? []);

/** Runs transfers through flow and resolver; `isLost` says which ones the kernel could not deliver. */
function resolved(text: string, isLost: (at: number) => boolean = () => false): TracedExchange[] {
  const traced: TracedExchange[] = [];
  const resolver = createResolver((one) => traced.push(one));
  const flow = createFlow({
    onRequest: resolver.request,
    onHidden: resolver.hidden,
    onExchange: resolver.exchange,
  });
  const take = losing(flow.transfer, isLost);
  for (const transfer of readRecording(text)) {
    take(transfer);
    resolver.flush(transfer.atNs);
  }
  flow.close();
  resolver.flush(Infinity);
  return traced;
}

interface Verdict {
  readonly calls: number;
  /** Calls whose request is known by its id. */
  readonly caused: number;
  readonly shown: number;
  readonly right: number;
  readonly solid: number;
  readonly wrongSolid: number;
}

/** A call is right when its parent is the request of the same process with the same id. */
function judge(traced: readonly TracedExchange[]): Verdict {
  const idOf = ({ exchange }: TracedExchange): string | undefined =>
    /(?:^| )\/[rc]\/([^/]+)/.exec(exchange.request?.path ?? '')?.[1];
  const isService = traced.some(({ exchange }) =>
    /(?:^| )\/c\//.test(exchange.request?.path ?? ''),
  );
  const key = ({ exchange }: TracedExchange, id: string): string =>
    `${exchange.connection.pid} ${id}`;
  const served = new Map<string, bigint>();
  for (const one of traced) {
    const id = idOf(one);
    if (one.exchange.connection.role === 'server' && id !== undefined) {
      served.set(key(one, id), one.wireId);
    }
  }
  const calls = traced.flatMap((one) => {
    if (one.exchange.connection.role !== 'client') return [];
    const path = one.exchange.request?.path ?? '';
    // In front of a service stands a proxy that passes paths on: T1 is about that one.
    if (isService && path.startsWith('/r/')) return [];
    const id = idOf(one);
    const parent = id === undefined ? 0n : served.get(key(one, id));
    if (parent === undefined) return [];
    const isShown = one.parentWireId !== 0n;
    const isSolid = isShown && one.probability >= LINK_SOLID - 1e-6;
    return [
      {
        isCaused: parent !== 0n,
        isShown,
        isRight: isShown && one.parentWireId === parent,
        isSolid,
      },
    ];
  });
  const solid = calls.filter(({ isSolid }) => isSolid);
  return {
    calls: calls.length,
    caused: calls.filter(({ isCaused }) => isCaused).length,
    shown: calls.filter(({ isShown }) => isShown).length,
    right: calls.filter(({ isRight }) => isRight).length,
    solid: solid.length,
    wrongSolid: solid.filter(({ isRight }) => !isRight).length,
  };
}

test('there are recordings', () => {
  expect(names.length).toBeGreaterThan(5);
});

describe.each(names)('%s', (name) => {
  const text = textOf(name);

  test('its calls are judged, and of solid links at most one in a hundred is wrong', () => {
    const { calls, solid, wrongSolid } = judge(resolved(text));
    expect(calls).toBeGreaterThan(50);
    expect(wrongSolid).toBeLessThanOrEqual(0.01 * solid);
  });

  test('the same transfers give the same links', () => {
    const links = (): unknown[] =>
      resolved(text).map(({ wireId, parentWireId }) => [wireId, parentWireId]);
    expect(links()).toEqual(links());
  });

  test('with one event of a hundred lost, of solid links at most one in a hundred is wrong', () => {
    const { solid, wrongSolid } = judge(resolved(text, (at) => at % 101 === 0));
    expect(wrongSolid).toBeLessThanOrEqual(0.01 * solid);
  });

  test('a line read is the line written', () => {
    const first = text.split('\n').slice(0, 200);
    const again = [...readRecording(first.join('\n'))].map((transfer) => recordLine(transfer));
    expect(again).toEqual(first);
  });
});

test.each([
  { name: 'T1-nginx-keepalive-8-workers-1', recall: 0.99 },
  { name: 'T2-timer-before', recall: 0.95 },
  { name: 'T3-fs', recall: 0.95 },
  { name: 'T4-fan-out', recall: 0.95 },
  { name: 'T5-max-sockets-4', recall: 0.9 },
  { name: 'T7-haproxy-threads-1', recall: 0.9 },
  { name: 'T7-haproxy-threads-1-c256', recall: 0.5 },
  { name: 'T7-python-asyncio-plain', recall: 0.8 },
  { name: 'T7-caddy', recall: 0.9 },
  { name: 'T7-caddy-c256', recall: 0.5 },
  { name: 'T8-redis', recall: 0.6 },
  { name: 'T9-background', recall: 0.9 },
])('$name: of its calls $recall have the right parent', ({ name, recall }) => {
  const { caused, right } = judge(resolved(textOf(name)));
  expect(right / caused).toBeGreaterThanOrEqual(recall);
});

test('random waits before and after the call leave no evidence: nearly nothing is shown', () => {
  const { calls, shown } = judge(resolved(textOf('T2b-timer-both')));
  expect(shown).toBeLessThan(0.05 * calls);
});
