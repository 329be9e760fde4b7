/** A decoded path as it may stand in a request line or a Location. */
export function encodedPath(path: string): string {
  return encodeURI(path).replaceAll('#', '%23').replaceAll('%5B', '[').replaceAll('%5D', ']');
}
