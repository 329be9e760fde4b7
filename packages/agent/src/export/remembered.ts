const REMEMBERED_MAX = 4_096;

/** `make`, whose answers are kept until there are too many: traffic repeats its few names. */
export function remembered(make: (text: string) => boolean): (text: string) => boolean {
  const known = new Map<string, boolean>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size >= REMEMBERED_MAX) known.clear();
    const made = make(text);
    known.set(text, made);
    return made;
  };
}
