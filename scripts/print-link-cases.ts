import { LINK_CASES } from '../packages/bench/src/links/cases.ts';

// The names of the links bench's cases as a JSON list, for accuracy.mjs.
process.stdout.write(JSON.stringify(LINK_CASES.map(({ name }) => name)));
