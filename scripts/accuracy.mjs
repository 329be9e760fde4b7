// Writes docs/accuracy.md and its plots from the links bench: `npm run accuracy`. What was measured of
// this build before is not measured again, so a run that was stopped goes on where it was.
//   --case PREFIX  measures only these; the page shows all that is known of this build
//   --fresh        forgets what was measured of this build
//   --from FILE    measures nothing: FILE holds what `bench links --json` printed
// All of it takes about 25 minutes; `chrt -r 1 npm run accuracy` where other work shares the cores.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: chosen } = parseArgs({
  options: {
    case: { type: 'string', default: '' },
    fresh: { type: 'boolean', default: false },
    from: { type: 'string' },
  },
});
const output = (command, args) =>
  execFileSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 2 ** 20,
  });
const report =
  chosen.from === undefined ? measured() : JSON.parse(readFileSync(chosen.from, 'utf8'));

/** Of what runs: documents may change between two parts of one measurement. */
function buildHash() {
  const hash = createHash('sha256');
  for (const name of ['thalweg', 'capture-worker', 'link-service']) {
    hash.update(readFileSync(`${root}packages/cli/dist/${name}.js`));
  }
  return hash.digest('hex').slice(0, 16);
}

/** One report of all cells, each from its own file where it was measured before. */
function measured() {
  const commit = output('git', ['describe', '--always', '--dirty', '--exclude', '*']).trim();
  const folder = `${root}node_modules/.cache/accuracy/${buildHash()}/`;
  if (chosen.fresh) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const names = JSON.parse(
    output('npx', ['tsx', '--conditions=@thalweg/source', 'scripts/print-link-cases.ts']),
  );
  const connections = [1, 16, 64, 256];
  const whole = { machine: '', commit, names, rows: [], skipped: [] };
  for (const name of names) {
    const fileOf = (count) => `${folder}${name}-c${count}.json`;
    const left = connections.filter((count) => !existsSync(fileOf(count)));
    if (left.length > 0 && name.startsWith(chosen.case)) {
      const args = ['bench', 'links', '--json', '--case', name, '--connections', left.join(',')];
      const { machine, rows, skipped } = JSON.parse(output(`${root}thalweg`, args));
      for (const count of left) {
        const own = rows.filter((row) => row.case === `${name}-c${count}`);
        // Nothing came on a busy machine: the cell is still to be measured.
        const isEmpty = own.some(({ metric, value }) => metric === 'calls_judged' && value === 0);
        if (isEmpty) continue;
        writeFileSync(fileOf(count), JSON.stringify({ machine, rows: own, skipped }));
      }
    }
    for (const count of connections.filter((one) => existsSync(fileOf(one)))) {
      const cell = JSON.parse(readFileSync(fileOf(count), 'utf8'));
      whole.machine = cell.machine;
      whole.rows.push(...cell.rows);
      for (const one of cell.skipped) {
        if (!whole.skipped.some((known) => known.case === one.case)) whole.skipped.push(one);
      }
    }
  }
  return whole;
}

/** Case and connections → metric → value. */
const cells = new Map();
for (const { case: name, metric, value } of report.rows) {
  const cell = cells.get(name) ?? new Map();
  cell.set(metric, value);
  cells.set(name, cell);
}
const caseOf = (name) => name.replace(/-c\d+$/, '');
const connectionsOf = (name) => Number(/-c(\d+)$/.exec(name)[1]);
const cases = [...new Set([...cells.keys()].map(caseOf))];
const connections = [...new Set([...cells.keys()].map(connectionsOf))].sort((a, b) => a - b);

const percent = (value) =>
  value === undefined ? '–' : (100 * value).toFixed(value > 0.9995 || value < 0.0005 ? 0 : 1);
const sum = (metric) =>
  [...cells.values()].reduce((total, cell) => total + (cell.get(metric) ?? 0), 0);

function table() {
  const lines = [
    '| case | calls | precision | recall | wrong solid | orphans | exact trees | ECE | wire join | lost |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ];
  for (const [name, cell] of cells) {
    const share = (metric) => percent(cell.get(metric));
    lines.push(
      `| ${name} | ${cell.get('calls_judged') ?? 0} | ${share('precision')} | ${share('recall')} | ${share('wrong_solid')} | ${share('orphans')} | ${share('exact_trees')} | ${cell.get('ece')?.toFixed(3) ?? '–'} | ${share('wire_join')} | ${cell.get('lost_events') ?? 0} |`,
    );
  }
  return lines.join('\n');
}

const RULES = {
  deepflow: 'last ingress of the thread',
  fifo: 'first in, first out',
  single_open: 'only if one is open',
  latest_open: 'latest open',
};

/** Precision and recall of ours and of each rule, in each cell. */
function ruleTable() {
  const lines = [
    `| case | ours | ${Object.values(RULES).join(' | ')} |`,
    `|---|---|${'---|'.repeat(Object.keys(RULES).length)}`,
  ];
  for (const [name, cell] of cells) {
    const both = (suffix) =>
      `${percent(cell.get(`precision${suffix}`))}, ${percent(cell.get(`recall${suffix}`))}`;
    const rules = Object.keys(RULES).map((rule) => both(`_${rule}`));
    lines.push(`| ${name} | ${both('')} | ${rules.join(' | ')} |`);
  }
  return lines.join('\n');
}

function skippedList() {
  const skipped = report.skipped ?? [];
  const known = new Set([...cases, ...skipped.map((one) => one.case)]);
  const lines = [
    ...skipped.map((one) => `- ${one.case}: ${one.reason}`),
    ...(report.names ?? []).filter((name) => !known.has(name)).map((name) => `- ${name}: not run`),
  ];
  return lines.length === 0 ? '' : `\nNot measured here:\n\n${lines.join('\n')}\n`;
}

const share = (least) => ({ wanted: `at least ${percent(least)} %`, isMet: (one) => one >= least });
const atMost = (most) => ({ wanted: `at most ${percent(most)} %`, isMet: (one) => one <= most });
const NODE = ['T1-node', 'T2-timer', 'T3-', 'T4-'];
/** What the design wants, and of which cases. */
const BARS = [
  { what: 'nginx, precision', of: ['T1-nginx'], metric: 'precision', ...share(0.99) },
  { what: 'nginx, recall', of: ['T1-nginx'], metric: 'recall', ...share(0.99) },
  {
    what: 'Node, timers before or after, files, fan-out: precision',
    of: NODE,
    metric: 'precision',
    ...share(0.95),
  },
  { what: 'the same: recall', of: NODE, metric: 'recall', ...share(0.95) },
  { what: 'Node with four sockets: precision', of: ['T5-max'], metric: 'precision', ...share(0.9) },
  { what: 'the same: recall', of: ['T5-max'], metric: 'recall', ...share(0.9) },
  {
    what: 'waits before and after (T2b): precision of what is shown',
    of: ['T2b'],
    metric: 'precision',
    ...share(0.9),
  },
  { what: 'the same: ECE', of: ['T2b'], metric: 'ece', ...atMost(0.03) },
  { what: 'with ids: precision', of: ['ids-'], metric: 'precision', ...share(0.99) },
  { what: 'with ids: recall', of: ['ids-'], metric: 'recall', ...share(0.99) },
  { what: 'every case: wrong among solid', of: [''], metric: 'wrong_solid', ...atMost(0.01) },
  {
    what: 'every case that loses nothing: wire join',
    of: [''],
    but: 'T9-lost',
    metric: 'wire_join',
    ...share(0.999),
  },
];

/** Each bar beside its worst cell. */
function bars() {
  const lines = ['| | wanted | worst cell | cells that meet it |', '|---|---|---|---|'];
  for (const { what, of, but, metric, wanted, isMet } of BARS) {
    const values = [...cells].flatMap(([name, cell]) => {
      const value = cell.get(metric);
      const isMeant = of.some((prefix) => name.startsWith(prefix));
      const isLeftOut = but !== undefined && name.startsWith(but);
      return value === undefined || !isMeant || isLeftOut ? [] : [{ name, value }];
    });
    if (values.length === 0) continue;
    const isLow = isMet(1);
    values.sort((one, other) => (isLow ? one.value - other.value : other.value - one.value));
    const [worst] = values;
    const met = values.filter(({ value }) => isMet(value)).length;
    const mark = met === values.length ? '' : '**';
    lines.push(
      `| ${what} | ${wanted} | ${mark}${percent(worst.value)} %${mark} (${worst.name}) | ${met} of ${values.length} |`,
    );
  }
  return lines.join('\n');
}

/** Claimed against what came true, all cells together: a dot on the line is an honest claim. */
function reliabilityPlot() {
  const side = 220;
  const at = (value) => 30 + value * (side - 50);
  const dots = reliabilityBins().map(({ count, claimed, right }) => {
    const radius = 2 + Math.min(6, Math.log10(count + 1));
    return `<circle cx="${at(claimed)}" cy="${side - at(right)}" r="${radius}" fill="#2f7d8c"><title>${count} links claimed ${claimed.toFixed(3)}, right ${right.toFixed(3)}</title></circle>`;
  });
  const marks = [0, 0.5, 1].map(
    (value) =>
      `<text x="${at(value)}" y="${side - 14}" text-anchor="middle">${value}</text><text x="8" y="${side - at(value) + 3}">${value}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" font-family="sans-serif" font-size="9" fill="#666">
<title>Share of right links, by claimed probability</title>
<text x="4" y="12">right, by claimed probability</text>
<path d="M${at(0)} ${side - at(0)}L${at(1)} ${side - at(1)}" stroke="#8884"/>
${marks.join('')}
${dots.join('\n')}
</svg>
`;
}

function reliabilityBins() {
  const bins = [];
  for (let bin = 0; bin < 10; bin += 1) {
    const name = `reliability_${(bin / 10).toFixed(1)}`;
    let [count, claimed, right] = [0, 0, 0];
    for (const cell of cells.values()) {
      const n = cell.get(`${name}_count`) ?? 0;
      count += n;
      claimed += n * (cell.get(`${name}_claimed`) ?? 0);
      right += n * (cell.get(`${name}_right`) ?? 0);
    }
    if (count > 0) bins.push({ bin, count, claimed: claimed / count, right: right / count });
  }
  return bins;
}

function reliability() {
  const lines = ['| claimed | links | mean claim | right |', '|---|---|---|---|'];
  for (const { bin, count, claimed, right } of reliabilityBins()) {
    const range = `${(bin / 10).toFixed(1)} to ${((bin + 1) / 10).toFixed(1)}`;
    lines.push(`| ${range} | ${count} | ${claimed.toFixed(3)} | ${right.toFixed(3)} |`);
  }
  return lines.join('\n');
}

const WIDTH = 168;
const HEIGHT = 96;
const COLUMNS = 4;
const LEGEND = [
  ['recall', '#2f7d8c'],
  ['recall of the thread rule', '#c0563f'],
  ['wrong among solid links', '#8a63b8'],
];

/** Small multiples: recall over connections, ours and the thread rule's. */
function plot() {
  const rows = Math.ceil(cases.length / COLUMNS);
  const x = (index) => 24 + (index * (WIDTH - 40)) / Math.max(1, connections.length - 1);
  const y = (value) => 24 + (1 - value) * (HEIGHT - 44);
  const line = (name, metric, colour) => {
    const points = connections.flatMap((count, index) => {
      const value = cells.get(`${name}-c${count}`)?.get(metric);
      return value === undefined ? [] : [[x(index), y(value)]];
    });
    const dots = points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="2" fill="${colour}"/>`);
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/>${dots.join('')}`;
  };
  const names = LEGEND.map(([name, colour]) => `<tspan fill="${colour}">${name}</tspan>`);
  const legend = `<text x="4" y="12">${names.join(' · ')}, by connections</text>`;
  const panels = cases.map((name, index) => {
    const at = `translate(${(index % COLUMNS) * WIDTH},${Math.floor(index / COLUMNS) * HEIGHT + 20})`;
    const labels = connections.map(
      (count, i) => `<text x="${x(i)}" y="${HEIGHT - 8}" text-anchor="middle">${count}</text>`,
    );
    return `<g transform="${at}"><text x="4" y="12" font-weight="600">${name}</text>
<path d="M24 ${y(0)}H${WIDTH - 16}M24 ${y(1)}H${WIDTH - 16}" stroke="#8884"/><text x="4" y="${y(1) + 3}">1</text><text x="4" y="${y(0) + 3}">0</text>
${labels.join('')}${line(name, 'recall_deepflow', '#c0563f')}${line(name, 'recall', '#2f7d8c')}${line(name, 'wrong_solid', '#8a63b8')}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH * COLUMNS}" height="${HEIGHT * rows + 20}" font-family="sans-serif" font-size="9" fill="#666">
<title>Recall, and wrong solid links, by case and connections</title>
${legend}
${panels.join('\n')}
</svg>
`;
}

writeFileSync(`${root}docs/accuracy.svg`, plot());
writeFileSync(`${root}docs/accuracy-claims.svg`, reliabilityPlot());
writeFileSync(
  `${root}docs/accuracy.md`,
  `# How right the parent links are

Written by \`npm run accuracy\`: do not edit. ${report.machine}, commit ${report.commit}.

Real programs in chains, asked by wrk over 1 to 256 connections for a second each (one: five seconds); other work shared
the machine's cores. Every path holds an id that the agent does not look at; no header carries one (the
*blind* mode) but in the cases \`ids-…\`. A call of the program under test is judged against the request
of the same process with the same id; the nginx before it is not counted. A process is unknown to the
agent when its case starts, at one connection. Shares in percent.

- **precision**: right among the links shown (p ≥ 0.5); **recall**: right among the true ones;
  **wrong solid**: wrong among those at p ≥ 0.9; **orphans**: true ones not shown; **exact trees**:
  requests all of whose calls hang right; **ECE**: how far claims are from what came true.
- **wire join**: calls whose two ends computed the same wire id, among those seen at both.
- Limit: what the kernel lost (last column) is judged by what is left of it.

${bars()}

![Recall by connections, each case](accuracy.svg)

${table()}
${skippedList()}
## Simpler rules on the same records

Precision and recall. The first rule is DeepFlow's: the last message that the thread read, used once.

${ruleTable()}

## What a probability is worth

All cases together: ${sum('calls_judged')} calls. Links by the probability that they claimed.

![Right, by claimed probability](accuracy-claims.svg)

${reliability()}

## Lost events

The cases T9-lost-… run on agents that leave out one event of a hundred before they look at them. Recordings
of nine cases at 16 connections, and one at 256, replay through the same code with one of a hundred left out, too
(\`packages/agent/src/trace/recorded\`, unit tests): of the solid links at most one in a hundred is wrong.

## Two hosts

Clocks that are apart and a router that translates addresses are no cases here, because links and wire joins look
at neither: a wire id is made of sequence numbers alone. \`packages/cli/src/two-hosts.e2e.test.ts\` shows it: two
agents, one of them 3.5 s ahead (faketime), nftables between, each request one trace by one clock.
`,
);
console.log('wrote docs/accuracy.md, docs/accuracy.svg and docs/accuracy-claims.svg');
