import { expect, test } from 'vitest';
import { assembleTree, type TreeRow } from './assemble.ts';

const HTTP = 20;
const POSTGRES = 61;

const row = (spanId: string, startUs: number, endUs: number, rest: Partial<TreeRow>): TreeRow => ({
  spanId,
  wireId: '0',
  parentWireId: '0',
  linkProbability: 0,
  observationPoint: 'c-p',
  hostName: 'h',
  pid: 1,
  startUs,
  endUs,
  protocol: POSTGRES,
  traceId: 't',
  isApp: false,
  interface: undefined,
  namedSpanId: '',
  namedParentId: '',
  isComplete: true,
  ...rest,
});

/** A request that carried the id of its SDK's parent, 0 to 100 µs, and the SDK's span for serving it. */
const REQUEST = [
  row('request', 0, 100, {
    wireId: '1',
    protocol: HTTP,
    observationPoint: 's-p',
    namedSpanId: 'caller',
  }),
  app('served', 1, 99, 'caller', { observationPoint: 's-app', protocol: HTTP }),
];

function app(id: string, startUs: number, endUs: number, parent: string, rest: Partial<TreeRow>) {
  const ids = { namedSpanId: id, namedParentId: parent };
  return row(id, startUs, endUs, { isApp: true, observationPoint: 'c-app', ...ids, ...rest });
}

/** A call of the request above, by evidence. */
const call = (startUs: number, endUs: number, rest: Partial<TreeRow> = {}): TreeRow =>
  row('call', startUs, endUs, { wireId: '2', parentWireId: '1', linkProbability: 0.99, ...rest });

test.each([
  {
    name: 'the one span that covers it',
    rows: [app('query', 20, 60, 'served', {}), call(22, 58)],
    parent: 'query',
  },
  {
    name: 'of nested spans the innermost',
    rows: [app('orm', 18, 70, 'served', {}), app('query', 20, 60, 'orm', {}), call(22, 58)],
    parent: 'query',
  },
  {
    name: 'the later of two, by its time',
    rows: [app('first', 5, 19, 'served', {}), app('second', 20, 60, 'served', {}), call(22, 58)],
    parent: 'second',
  },
  {
    name: 'two at the same time: neither, the request stays its parent',
    rows: [app('one', 20, 60, 'served', {}), app('two', 21, 61, 'served', {}), call(22, 58)],
    parent: 'request',
  },
  {
    name: 'a span for another protocol: the request',
    rows: [app('cache', 20, 60, 'served', { protocol: 80 }), call(22, 58)],
    parent: 'request',
  },
  {
    name: 'a span for half of its time: the request',
    rows: [app('query', 20, 39, 'served', {}), call(22, 58)],
    parent: 'request',
  },
  {
    name: 'a span of another request: the own request',
    rows: [
      row('other', 0, 100, {
        wireId: '3',
        protocol: HTTP,
        observationPoint: 's-p',
        namedSpanId: 'x',
      }),
      app('theirs', 20, 60, 'x', {}),
      call(22, 58),
    ],
    parent: 'request',
  },
  {
    name: 'no evidence of its own: a root',
    rows: [app('query', 20, 60, 'served', {}), call(22, 58, { parentWireId: '0' })],
    parent: undefined,
  },
])('a call without ids hangs under: $name', ({ rows, parent }) => {
  const { nodes } = assembleTree([...REQUEST, ...rows]);
  const found = nodes.find(({ row: own }) => own.spanId === 'call');
  expect(found?.parent?.spanId).toBe(parent);
});
