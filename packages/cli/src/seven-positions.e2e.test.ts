import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Span, TraceAnswer, TraceSearchAnswer } from '@thalweg/model';
import { expect, test } from 'vitest';

// What the article shows of one request through its gateway (../shared/walkthrough.md, row 2), with no
// plugin and no SDK: nginx is the gateway, a bridge the node's network.

const launcher = fileURLToPath(new URL('../../../thalweg', import.meta.url));
const PORT = '22416';

/** Where the demo's first request passes, from the client to the service behind the gateway. */
const ON_THE_WAY = [
  'S c-p client',
  'N c client eth0',
  'N c-nd lan client',
  'N s-nd lan gateway', // (1) the node's card
  'N s gateway eth0', // (2) the gateway's card
  'S s-p gateway', // (3) into the gateway's process
  'S c-p gateway', // (4) out of it
  'N c gateway eth0', // (5) the gateway's card
  'N c-nd lan gateway',
  'N s-nd lan orders',
  'N s orders eth0', // (6) the backend's card
  'S s-p orders', // (7) the backend's process
];

function positionOf({ signal, observationPoint, hostName, fields }: Span): string {
  const host = hostName.split('-').at(-1);
  return [signal, observationPoint, host, fields['capture_nic_name']].filter(Boolean).join(' ');
}

test('the seven positions of the article stand in order in the trace of one request', async () => {
  const words = ['demo', '--json', '--requests', '50', '--connections', '2', '--port', PORT];
  const demo = spawn(launcher, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(demo, 'exit');
  try {
    const result = await createInterface({ input: demo.stdout })[Symbol.asyncIterator]().next();
    const { uiUrl } = JSON.parse(result.value ?? '{}');
    const nowUs = Date.now() * 1e3;
    const listUrl = new URL(`/api/traces?start=${nowUs - 600e6}&end=${nowUs + 60e6}`, uiUrl);
    const { traces } = TraceSearchAnswer.parse(await (await fetch(listUrl)).json());
    const whole = traces.find(({ networkSpanCount }) => networkSpanCount >= 12);
    const answer = await fetch(new URL(`/api/traces/${whole?.traceId}`, uiUrl));
    const { spans } = TraceAnswer.parse(await answer.json());
    expect(spans.slice(0, ON_THE_WAY.length).map(positionOf)).toEqual(ON_THE_WAY);
    // Each hangs under the one before it: the order is the tree's.
    const parents = spans.slice(1, ON_THE_WAY.length).map(({ parentId }) => parentId);
    expect(parents).toEqual(spans.slice(0, ON_THE_WAY.length - 1).map(({ spanId }) => spanId));
  } finally {
    demo.kill('SIGINT');
    await ended;
  }
});
