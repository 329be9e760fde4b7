/**
 * Metrics in the text format of several processes as those of one gateway. Counters and histograms
 * are summed, and those gauges that `isSummed` names; any other gauge is taken from the first text
 * that has the sample.
 */
export function mergedText(
  texts: readonly string[],
  isSummed: (family: string) => boolean,
): string {
  const families = new Map<string, Family>();
  for (const text of texts) readInto(families, text, isSummed);
  return [...families.values()].map(textOf).join('');
}

/** What stays of a process that has ended: the families that `isKept` names, and what is counted. */
export function countedText(text: string, isKept: (family: string) => boolean): string {
  const families = new Map<string, Family>();
  readInto(families, text, isKept);
  return [...families.values()]
    .filter(({ isSummed }) => isSummed)
    .map(textOf)
    .join('');
}

interface Family {
  readonly isSummed: boolean;
  /** Lines that begin with `#`. */
  readonly head: string[];
  /** By name and labels, as they are written. */
  readonly samples: Map<string, number>;
}

/** Lines are ours: a family's `# HELP` and `# TYPE` come before its samples, which have no time. */
function readInto(
  families: Map<string, Family>,
  text: string,
  isSummed: (family: string) => boolean,
): void {
  let family: Family | undefined;
  let help = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP ')) help = line;
    else if (line.startsWith('# TYPE ')) {
      const [, , name = '', type = ''] = line.split(' ');
      family = families.get(name) ?? {
        isSummed: type !== 'gauge' || isSummed(name),
        head: help === '' ? [line] : [help, line],
        samples: new Map(),
      };
      families.set(name, family);
      help = '';
    } else if (line !== '' && family !== undefined) {
      const at = line.lastIndexOf(' ');
      const sample = line.slice(0, at);
      const known = family.samples.get(sample);
      const value = Number(line.slice(at + 1));
      if (known === undefined) family.samples.set(sample, value);
      else if (family.isSummed) family.samples.set(sample, known + value);
    }
  }
}

function textOf({ head, samples }: Family): string {
  const lines = [...samples].map(([sample, value]) => `${sample} ${value}`);
  return `${[...head, ...lines].join('\n')}\n`;
}
