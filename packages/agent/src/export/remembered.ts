const REMEMBERED_MAX = 4_096;

/** `make`, whose answers are kept until there are too many: traffic repeats its few names. */
export function remembered(make: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size >= REMEMBERED_MAX) known.clear();
    const made = make(text);
    known.set(text, made);
    return made;
  };
}
