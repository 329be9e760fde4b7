import { readFileSync } from 'node:fs';

/** What a file holds; '' where there is none. */
export function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
