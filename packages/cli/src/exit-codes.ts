/** Every way that a command ends. Scripts match the number or the name (`code:` on stderr). */
export const EXIT_CODES = {
  ok: { status: 0, meaning: 'done' },
  failed: { status: 1, meaning: 'what was asked for did not come about' },
  usage: { status: 2, meaning: 'unknown command, option or configuration key, or a bad value' },
  not_permitted: { status: 3, meaning: 'root or a capability is missing' },
  port_in_use: { status: 4, meaning: 'a port is taken' },
  unavailable: { status: 5, meaning: 'something needed is missing or does not answer' },
  bad_input: { status: 6, meaning: 'the given file cannot be read as what it should be' },
  interrupted: {
    status: 130,
    meaning: 'stopped before it was done (the demo), or a second Ctrl-C cut the stop short',
  },
} as const satisfies Readonly<Record<string, { status: number; meaning: string }>>;

export type ExitCode = keyof typeof EXIT_CODES;

/** One line for each code, aligned, for --help and docs/cli.md. */
export function exitCodeLines(): readonly string[] {
  return Object.entries(EXIT_CODES).map(
    ([name, { status, meaning }]) => `${String(status).padStart(3)}  ${name.padEnd(14)} ${meaning}`,
  );
}
