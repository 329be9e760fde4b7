// Writes src/kernel/events.gen.ts, the TypeScript twin of bpf/events.h and bpf/packets.h, from the
// BTF that the compiler put into the objects. `--check` fails when the file is out of date.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}src/kernel/events.gen.ts`;
/** Of each object: structs whose field offsets JavaScript uses, and enums whose values it uses. */
const OBJECTS = {
  capture: {
    structs: ['event', 'config'],
    enums: ['event_kind', 'direction', 'role', 'cause_kind', 'counter', 'port_verdict'],
  },
  packets: {
    structs: ['flow_key', 'turn', 'flow', 'packets_config'],
    enums: ['packet_direction', 'packet_counter'],
  },
};

const wanted = Object.entries(OBJECTS).map(([object, { structs, enums }]) => {
  const path = `${root}build/${object}.bpf.o`;
  const dump = execFileSync('bpftool', ['btf', 'dump', '-j', 'file', path]);
  const { types } = JSON.parse(dump.toString());
  const named = (kind) => (name) => {
    const found = types.find((type) => type.kind === kind && type.name === name);
    if (found === undefined)
      throw new Error(`${kind.toLowerCase()} ${name} is not in the BTF of ${object}`);
    return found;
  };
  return { structs: structs.map(named('STRUCT')), enums: enums.map(named('ENUM')) };
});

const lines = [
  '// Generated from bpf/*.h by scripts/generate-events.mjs; do not edit. `npm run gen` writes it.',
  '',
];
for (const { values } of wanted.flatMap(({ enums }) => enums)) {
  for (const { name, val } of values) lines.push(`export const ${name} = ${val};`);
}
for (const { name, size, members } of wanted.flatMap(({ structs }) => structs)) {
  lines.push('', `export const ${name.toUpperCase()}_SIZE = ${size};`);
  lines.push(`/** Byte offsets in struct ${name}. */`, `export const ${name.toUpperCase()} = {`);
  for (const { name: field, bits_offset } of members) {
    lines.push(`  ${camel(field)}: ${bits_offset / 8},`);
  }
  lines.push('} as const;');
}
const text = `${lines.join('\n')}\n`;

let current = '';
try {
  current = readFileSync(target, 'utf8');
} catch {
  // Not there yet.
}
if (current !== text) {
  if (process.argv.includes('--check')) {
    console.log('src/kernel/events.gen.ts is out of date; fix: npm run gen');
    process.exit(1);
  }
  writeFileSync(target, text);
  console.log('wrote packages/agent/src/kernel/events.gen.ts');
}

function camel(name) {
  return name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
}
