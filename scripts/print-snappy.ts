// Prints packages/wire/src/prometheus/snappy.gen.ts: snappy.wat, assembled.
import { readFileSync } from 'node:fs';
import loadWabt from 'wabt';

const FILE = 'packages/wire/src/prometheus/snappy.wat';

const { parseWat } = await loadWabt();
const text = parseWat(FILE, readFileSync(FILE, 'utf8'), { simd: true });
text.validate();
const code = Buffer.from(text.toBinary({}).buffer).toString('base64');
process.stdout.write(`// Generated from snappy.wat by \`npm run gen\`.

/** A WebAssembly module in base64. */
export const SNAPPY_CODE =
  '${code}';
`);
