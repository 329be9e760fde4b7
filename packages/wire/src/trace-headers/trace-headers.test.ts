import { describe, expect, test } from 'vitest';
import { readTrace } from './read.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';
const sw8 = `1-${btoa('t.1.2')}-${btoa('s.1.2')}-3-${btoa('svc')}-${btoa('i')}-${btoa('/e')}-${btoa('h:1')}`;

describe('readTrace', () => {
  test.each([
    {
      name: 'traceparent',
      headers: { traceparent: `00-${trace}-${span}-01` },
      is: [trace, span, ''],
    },
    {
      name: 'traceparent of a later version',
      headers: { traceparent: `cc-${trace}-${span}-01-more` },
      is: [trace, span, ''],
    },
    { name: 'sw8', headers: { sw8 }, is: ['t.1.2', 's.1.2-3', ''] },
    {
      name: 'b3 single',
      headers: { b3: `${trace}-${span}-1-05e3ac9a4f6e3b90` },
      is: [trace, span, '05e3ac9a4f6e3b90'],
    },
    {
      name: 'b3 multi',
      headers: { 'x-b3-traceid': trace.toUpperCase(), 'x-b3-spanid': span },
      is: [trace, span, ''],
    },
    {
      name: 'jaeger, zeros left out',
      headers: { 'uber-trace-id': 'ab%3A1%3A0%3A1' },
      is: ['00000000000000ab', '0000000000000001', ''],
    },
    {
      name: 'traceparent before b3',
      headers: { b3: `${span}-${span}`, traceparent: `00-${trace}-${span}-00` },
      is: [trace, span, ''],
    },
    {
      name: 'sw8 before b3',
      headers: { b3: `${span}-${span}`, sw8 },
      is: ['t.1.2', 's.1.2-3', ''],
    },
    {
      name: 'b3 when traceparent is broken',
      headers: { traceparent: '00-x', b3: `${span}-${span}` },
      is: [span, span, ''],
    },
  ])('$name', ({ headers, is }) => {
    const [traceId, spanId, parentSpanId] = is;
    expect(readTrace(Object.entries(headers))).toEqual({ traceId, spanId, parentSpanId });
  });

  test.each([
    { name: 'upper case', header: ['traceparent', `00-${trace.toUpperCase()}-${span}-01`] },
    { name: 'zero trace', header: ['traceparent', `00-${'0'.repeat(32)}-${span}-01`] },
    { name: 'zero span', header: ['traceparent', `00-${trace}-${'0'.repeat(16)}-01`] },
    { name: 'version ff', header: ['traceparent', `ff-${trace}-${span}-01`] },
    { name: 'more in version 00', header: ['traceparent', `00-${trace}-${span}-01-x`] },
    { name: 'a lone b3 decision', header: ['b3', '0'] },
    { name: 'sw8 without base64', header: ['sw8', '1-?-?-3'] },
    { name: 'jaeger with too few parts', header: ['uber-trace-id', '1:2'] },
    { name: 'nothing', header: ['traceparent', ''] },
  ] as const)('refuses $name', ({ header }) => {
    expect(readTrace([header])).toBeUndefined();
  });
});
