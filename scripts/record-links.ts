import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { openCapture } from '../packages/agent/src/kernel/capture.ts';
import { recordLine } from '../packages/agent/src/trace/recorded/recording.ts';
import { LINK_CASES } from '../packages/bench/src/links/cases.ts';
import { askDistinctPaths } from '../packages/bench/src/links/load.ts';

// Records what the kernel reports of a case of the links bench, for tests without a kernel:
// `npx tsx --conditions=@thalweg/source scripts/record-links.ts CASE CONNECTIONS FILE.jsonl.gz`

const RING_BYTES = 64 * 2 ** 20;
const SECONDS = 1;
/** Enough for the trust of a process to settle; a few dozen KB under gzip. */
const TRANSFERS_MAX = 3_000;

const [, , name = '', connectionsText = '16', file = ''] = process.argv;
const chosen = LINK_CASES.find((one) => one.name === name);
if (chosen === undefined || file === '') {
  throw new Error(`usage: record-links.ts CASE CONNECTIONS FILE; no case is named "${name}"`);
}
const chain = await chosen.start();
const capture = openCapture({
  ringBytes: RING_BYTES,
  captureBytes: 256,
  filter: { ports: [], portsExcluded: [], pidsExcluded: [process.pid], namespaces: [] },
});
const lines: { readonly connection: number; readonly text: string }[] = [];
try {
  const connections = Number(connectionsText);
  await askDistinctPaths({ port: chain.port, connections, seconds: SECONDS, run: 'r' });
  capture.drain((transfer) => {
    lines.push({ connection: transfer.connection, text: recordLine(transfer) });
  });
} finally {
  capture.close();
  await chain.close();
}
// Others use this machine too: only connections that carry the ids of this run belong to it.
const own = new Set(
  lines.filter(({ text }) => /\/[rc]\/r-|GET \/b\//.test(text)).map(({ connection }) => connection),
);
const kept = lines.filter(({ connection }) => own.has(connection)).slice(0, TRANSFERS_MAX);
writeFileSync(file, gzipSync(`${kept.map(({ text }) => text).join('\n')}\n`, { level: 9 }));
console.log(`${file}: ${kept.length} of ${lines.length} transfers, ${own.size} connections`);
