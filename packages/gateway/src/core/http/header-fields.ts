/**
 * The fields of one message, in order, with the spelling they came in. A class, against rule 11: one
 * is made for each message on the hot path, and methods on a prototype cost nothing to make.
 */
export class HeaderFields {
  /** As spelled on the wire. */
  readonly names: string[] = [];
  /** In lower case, at the same index. */
  readonly keys: string[] = [];
  readonly values: string[] = [];

  push(name: string, key: string, value: string): void {
    this.names.push(name);
    this.keys.push(key);
    this.values.push(value);
  }

  /** The first value of `key` (lower case); undefined when there is none. */
  get(key: string): string | undefined {
    const at = this.keys.indexOf(key);
    return at < 0 ? undefined : this.values[at];
  }

  has(key: string): boolean {
    return this.keys.indexOf(key) >= 0;
  }

  /** How many fields `key` (lower case) there are. */
  count(key: string): number {
    const { keys } = this;
    let count = 0;
    for (let i = 0; i < keys.length; i++) if (keys[i] === key) count += 1;
    return count;
  }

  /** Every value of `key` (lower case), in order. */
  all(key: string): string[] {
    const { keys, values } = this;
    const found: string[] = [];
    for (let i = 0; i < keys.length; i++) if (keys[i] === key) found.push(values[i] ?? '');
    return found;
  }

  /** All values of `key` as one list (RFC 9110 §5.3); undefined when there is none. */
  joined(key: string): string | undefined {
    const at = this.keys.indexOf(key);
    if (at < 0) return undefined;
    if (this.keys.indexOf(key, at + 1) < 0) return this.values[at];
    return this.all(key).join(', ');
  }

  /** One field `name` with `value`, in the place of the first of that name. */
  set(name: string, value: string): void {
    this.put(name, name.toLowerCase(), clean(value));
  }

  /** As `set`, where the caller has the name in lower case, and a value that ends no line. */
  put(name: string, key: string, value: string): void {
    const at = this.keys.indexOf(key);
    if (at < 0) {
      this.push(name, key, value);
      return;
    }
    this.names[at] = name;
    this.values[at] = value;
    this.removeFrom(key, at + 1);
  }

  add(name: string, value: string): void {
    this.push(name, name.toLowerCase(), clean(value));
  }

  /** Removes every field `name`, in any case. */
  remove(name: string): void {
    this.removeFrom(name.toLowerCase(), 0);
  }

  private removeFrom(key: string, first: number): void {
    for (let i = this.keys.indexOf(key, first); i >= 0; i = this.keys.indexOf(key, i)) {
      this.names.splice(i, 1);
      this.keys.splice(i, 1);
      this.values.splice(i, 1);
    }
  }
}

/** A value that a plugin or a configuration made may not end the line (response splitting). */
function clean(value: string): string {
  return /[\r\n\0]/.test(value) ? value.replace(/[\r\n\0]+/g, ' ') : value;
}
