import { compilePattern } from '../core/match/pattern.ts';
import type { StoredObject } from '../store/store.ts';
import type { AdminAnswer, Place } from './admin-api.ts';
import { type ShownParts, shown } from './shown.ts';

const PAGE_SIZE_MIN = 10;
const PAGE_SIZE_MAX = 500;

/** A list of one kind, filtered, then paged; `total` counts before paging. */
export function listAnswer(parts: ShownParts, place: Place, query: URLSearchParams): AdminAnswer {
  const { kind, folder } = place;
  const depth = folder.split('/').length;
  const isNested = kind.path === 'secrets';
  const objects = parts.store
    .list(folder)
    .filter(({ key }) => isNested || key.split('/').length === depth)
    .filter((object) => passes(object, query));
  const page = pageOf(objects, query);
  if (page === undefined) {
    const text = `page_size must be between ${PAGE_SIZE_MIN} and ${PAGE_SIZE_MAX}`;
    return { status: 400, body: text };
  }
  const list = page.map((object) => shown(parts, kind, object));
  return { status: 200, body: { list, total: objects.length } };
}

/** Undefined when the size of a page is out of bounds. */
function pageOf(
  objects: readonly StoredObject[],
  query: URLSearchParams,
): readonly StoredObject[] | undefined {
  const [number, sizeText] = [query.get('page'), query.get('page_size')];
  if (number === null || sizeText === null) return objects;
  const size = Number(sizeText);
  if (!(size >= PAGE_SIZE_MIN && size <= PAGE_SIZE_MAX)) return undefined;
  const first = (Math.max(1, Math.floor(Number(number)) || 1) - 1) * size;
  return objects.slice(first, first + size);
}

function passes({ value }: StoredObject, query: URLSearchParams): boolean {
  const name = query.get('name');
  if (name !== null && !found(name, value['name'])) return false;
  const label = query.get('label');
  const { labels } = value;
  if (label !== null && !(typeof labels === 'object' && labels !== null && label in labels))
    return false;
  const uri = query.get('uri');
  if (uri !== null && ![value['uri'], value['uris']].flat().some((one) => found(uri, one)))
    return false;
  for (const [field, wanted] of new URLSearchParams(query.get('filter') ?? '')) {
    if (field !== 'service_id' && field !== 'upstream_id') continue;
    if (String(value[field]) !== wanted) return false;
  }
  return true;
}

/** As a regular expression where it is one, else as it stands. */
function found(pattern: string, text: unknown): boolean {
  if (typeof text !== 'string') return false;
  const made = compilePattern(pattern);
  return made.kind === 'pattern' ? made.test(text) : text.includes(pattern);
}
