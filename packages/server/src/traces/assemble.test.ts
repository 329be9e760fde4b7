import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTree, type TreeRow } from './assemble.ts';

const row = (spanId: string, rest: Partial<TreeRow>): TreeRow => ({
  spanId,
  wireId: '0',
  parentWireId: '0',
  linkProbability: 0,
  observationPoint: 'c-p',
  hostName: 'h',
  pid: 1,
  startUs: 0,
  endUs: 0,
  protocol: 20,
  traceId: '',
  isApp: false,
  interface: undefined,
  namedSpanId: '',
  namedParentId: '',
  isComplete: true,
  ...rest,
});

const app = (id: string, parent: string, startUs: number, point = 'app'): TreeRow =>
  row(id, {
    isApp: true,
    traceId: 't',
    namedSpanId: id,
    namedParentId: parent,
    observationPoint: point,
    startUs,
  });
const carried = (id: string): Partial<TreeRow> => ({ traceId: 't', namedSpanId: id });
const linked = (wire: string): Partial<TreeRow> => ({ parentWireId: wire, linkProbability: 0.97 });

/** `parent>child` for each row in the tree's order; a root has an empty parent. */
function shape(rows: readonly TreeRow[]): string[] {
  return assembleTree(rows).nodes.map(
    ({ row: own, parent }) => `${parent?.spanId ?? ''}>${own.spanId}`,
  );
}

/** A view of an interface of the agent `one`, unless told otherwise. */
const wired = (id: string, point: string, startUs: number, rest: Partial<TreeRow> = {}): TreeRow =>
  row(id, {
    wireId: '1',
    observationPoint: point,
    startUs,
    pid: 0,
    interface: { agent: 'one', name: id },
    ...rest,
  });

test.each([
  {
    name: 'both ends of a call are a chain, client first, whatever the clocks say',
    rows: [
      row('server', { wireId: '1', observationPoint: 's-p', startUs: 5, hostName: 'b' }),
      row('client', { wireId: '1', startUs: 90 }),
    ],
    want: ['>client', 'client>server'],
  },
  {
    name: 'interfaces stand between client and server process, from one to the other',
    rows: [
      wired('node-in', 'c-nd', 3),
      row('server', { wireId: '1', observationPoint: 's-p', startUs: 9 }),
      wired('server-card', 's', 6),
      wired('node-out', 's-nd', 4),
      row('client', { wireId: '1', startUs: 5 }),
      wired('client-card', 'c', 2),
    ],
    want: [
      '>client',
      'client>client-card',
      'client-card>node-in',
      'node-in>node-out',
      'node-out>server-card',
      'server-card>server',
    ],
  },
  {
    name: 'what one agent saw at interfaces is in order of time, where addresses were translated',
    rows: [
      wired('card', 'c', 3),
      wired('pod', 'c', 1),
      wired('bridge', 'c-nd', 2),
      wired('far', 's', 1, { interface: { agent: 'two', name: 'far' } }),
    ],
    want: ['>pod', 'pod>bridge', 'bridge>card', 'card>far'],
  },
  {
    name: 'what passed interfaces within one microsecond is in order of their places',
    rows: [wired('a', 's', 4), wired('bridge-out', 's-nd', 4)],
    want: ['>bridge-out', 'bridge-out>a'],
  },
  {
    name: 'an interface that knows neither end is between the two machines',
    rows: [
      wired('out', 's-nd', 0, { interface: { agent: 'three', name: 'out' } }),
      wired('router', 'rest', 0, { interface: { agent: 'two', name: 'router' } }),
      wired('in', 'c-nd', 0),
    ],
    want: ['>in', 'in>router', 'router>out'],
  },
  {
    name: 'two interfaces at one point are not copies of each other',
    rows: [
      wired('one', 'c-nd', 1),
      wired('two', 'c-nd', 2),
      wired('again', 'c-nd', 2, { interface: { agent: 'one', name: 'two' } }),
    ],
    want: ['>one', 'one>two'],
  },
  {
    name: 'a call hangs under the request that caused it',
    rows: [
      row('in', { wireId: '1', observationPoint: 's-p' }),
      row('out', { wireId: '2', parentWireId: '1', linkProbability: 0.97 }),
    ],
    want: ['>in', 'in>out'],
  },
  {
    name: 'a link below the threshold is not drawn',
    rows: [
      row('in', { wireId: '1', observationPoint: 's-p' }),
      row('out', { wireId: '2', parentWireId: '1', linkProbability: 0.49, startUs: 1 }),
    ],
    want: ['>in', '>out'],
  },
  {
    name: 'a parent that is not stored leaves a root',
    rows: [row('out', { wireId: '2', parentWireId: '1', linkProbability: 0.97 })],
    want: ['>out'],
  },
  { name: 'no rows: no tree', rows: [], want: [] },
  {
    name: 'spans of SDKs are a tree by their ids',
    rows: [app('c', 'b', 3), app('b', 'a', 2), app('a', '', 1)],
    want: ['>a', 'a>b', 'b>c'],
  },
  {
    name: 'a span that was sent twice is one span',
    rows: [app('a', '', 1), { ...app('a', '', 1), spanId: '9' }],
    want: ['>9'],
  },
  {
    name: 'an exchange hangs under the span that it carried, the answering span under the exchange',
    rows: [
      app('client', '', 1, 'c-app'),
      app('server', 'client', 4, 's-app'),
      row('wire', { ...carried('client'), wireId: '1', observationPoint: 'c-p', startUs: 2 }),
      row('wire2', { ...carried('client'), wireId: '1', observationPoint: 's-p', startUs: 3 }),
    ],
    want: ['>client', 'client>wire', 'wire>wire2', 'wire2>server'],
  },
  {
    name: 'a span of the gateway stands between the request that it answers and the one it makes',
    rows: [
      row('in', { wireId: '1', observationPoint: 's-p' }),
      app('gateway', '', 1, 's-app'),
      row('out', { ...carried('gateway'), ...linked('1'), wireId: '2', startUs: 2 }),
    ],
    want: ['>in', 'in>gateway', 'gateway>out'],
  },
  {
    name: 'an id that a hop passed on does not take its exchange away from the hop',
    rows: [
      app('client', '', 0, 'c-app'),
      row('in', { ...carried('client'), wireId: '1', observationPoint: 's-p', startUs: 1 }),
      row('out', { ...carried('client'), ...linked('1'), wireId: '2', startUs: 2 }),
      { ...app('server', 'client', 3, 's-app'), hostName: 'b' },
    ],
    want: ['>client', 'client>in', 'in>out', 'out>server'],
  },
  {
    name: 'of a span that both ends report under one id, the answering end is under the asking one',
    rows: [
      app('a', '', 1, 's-app'),
      { ...app('b', 'a', 2, 'c-app'), spanId: 'b client' },
      { ...app('b', 'a', 3, 's-app'), spanId: 'b server' },
      app('c', 'b', 4, 'app'),
    ],
    want: ['>a', 'a>b client', 'b client>b server', 'b server>c'],
  },
  {
    name: 'the exchange that carried a shared id stands between its two ends',
    rows: [
      { ...app('b', '', 2, 'c-app'), spanId: 'b client' },
      row('wire', { ...carried('b'), wireId: '1', observationPoint: 's-p', startUs: 3 }),
      { ...app('b', '', 4, 's-app'), spanId: 'b server' },
    ],
    want: ['>b client', 'b client>wire', 'wire>b server'],
  },
  {
    name: 'spans that name each other are cut, not lost',
    rows: [app('a', 'b', 1), app('b', 'a', 2)],
    want: ['>a', 'a>b'],
  },
])('$name', ({ rows, want }) => {
  expect(shape(rows)).toEqual(want);
});

test('no row is lost or doubled, parents come first, and the order of rows does not matter', () => {
  const some = fc.record({
    wire: fc.integer({ min: 0, max: 6 }),
    parent: fc.integer({ min: 0, max: 6 }),
    probability: fc.constantFrom(0, 0.4, 0.5, 0.9, 1),
    point: fc.constantFrom('c-p', 's-p', 's', 'app', 'c-app', 's-app'),
    startUs: fc.integer({ min: 0, max: 5 }),
    named: fc.constantFrom('', 'a', 'b', 'c'),
    namedParent: fc.constantFrom('', 'a', 'b', 'c'),
  });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 12 }), (list) => {
      const rows = list.map(
        ({ wire, parent, probability, point, startUs, named, namedParent }, at) =>
          row(String(at + 1), {
            wireId: String(wire),
            parentWireId: String(parent),
            linkProbability: probability,
            observationPoint: point,
            startUs,
            isApp: wire === 0 && point.endsWith('app'),
            namedSpanId: named,
            namedParentId: namedParent,
          }),
      );
      const { nodes, duplicateCount } = assembleTree(rows);
      expect(nodes.length + duplicateCount).toBe(rows.length);
      const seen = new Set<string>();
      for (const { row: own, parent } of nodes) {
        if (parent !== null) expect(seen.has(parent.spanId)).toBe(true);
        seen.add(own.spanId);
      }
      expect(seen.size).toBe(nodes.length);
      expect(shape(rows.toReversed())).toEqual(shape(rows));
    }),
    { seed: 7, numRuns: 2_000 },
  );
});
