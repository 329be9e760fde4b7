import { styleText } from 'node:util';

type Style = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** Where a command writes: answers to stdout, everything else to stderr. */
export interface Terminal {
  print(text: string): void;
  /** Progress for a person; nothing reads it. */
  note(text: string): void;
  paint(style: Style, text: string): string;
}

/** Colours only where a person looks: stdout is a TTY, and NO_COLOR is not set. */
export function openTerminal(): Terminal {
  const noColor = process.env['NO_COLOR'];
  const hasColour = process.stdout.isTTY === true && (noColor === undefined || noColor === '');
  return {
    print: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    paint: (style, text) => (hasColour ? styleText(style, text) : text),
  };
}
